"""Cleans up a repository: choose tags or images by a rule or by name, see the plan, run it."""

from datetime import UTC, datetime

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from services.commands import images as az_images
from services.deletion.cleanup_rules import Chosen, Rule, choose
from services.deletion.plan import plan_deletion
from services.deletion.plan_rows import deleted_manifests, kept_manifests
from services.images.tagging import plan_untag
from ui.deletion import runs
from ui.deletion.cleanup_form import ask_names, ask_rule
from ui.deletion.plan import ask_running_images, contents_of
from ui.deletion.plan_view import show_deletion, show_untag
from ui.elements.errors import panel
from ui.elements.page import az_lines, empty, header
from ui.elements.text import plain
from ui.elements.writing import confirm, counted_action
from ui.loaders import images as image_loaders
from ui.navigation import pages, selection
from ui.navigation.links import last_step, open_page, registry_steps
from ui.navigation.url_choice import check_url
from ui.runtime import connection

BY_RULE, BY_NAME = "By rule", "By name"
IMAGES, TAGS = "Delete images", "Remove tags only"
NO_PATTERN = "Type a tag pattern above, such as pr-*."
NOTHING_MATCHES = "No tag matches all of the above, or the newest to keep are all that do."

who = connection.who()
registry = selection.choose_registry(who, pages.CLEAN_UP.title, st.container(), st.container())
name = selection.choose_repository(who, registry, pages.CLEAN_UP.title)
header(
    f"{pages.CLEAN_UP.title} of {plain(name)}",
    f"In {plain(registry.name)}, nothing is deleted until you confirm",
    None,
    lambda: image_loaders.forget_repository(who, registry.login_server, name),
    (*registry_steps(registry.name, st.query_params["registry"], name), last_step(pages.CLEAN_UP.title)),
)
contents = contents_of(who, registry, name)


def remove_tags(chosen: Chosen, notices: DeltaGenerator) -> None:
    tags = {tag.name: tag for tag in chosen.tags}
    tags_of = {row.digest: row.tags for row in contents.rows}
    plan = plan_untag(registry.name, contents.repository, tags, tags_of)
    show_untag(plan, tags, contents)
    with panel():
        if confirm(
            plan,
            counted_action("Remove", len(plan.unblocked), "tag"),
            typed=name if len(plan.unblocked) > 1 else "",
            ready=bool(plan.unblocked),
            icon=":material/delete_forever:",
            in_dialog=False,
            notices=notices,
            effect=plan.unblocked,
        ):
            record = runs.remove_tags(who, registry, plan)
            open_page(pages.DELETIONS, record=record)


def delete_images(chosen: Chosen, notices: DeltaGenerator, *, by_name: bool) -> None:
    view = st.container()
    running = ask_running_images(contents)
    plan = plan_deletion(contents, chosen.digests, registry=registry.name, by_name=by_name, running=running)
    with view:
        kept = kept_manifests(contents, plan, chosen.kept)
        show_deletion(who, registry, contents, deleted_manifests(contents, plan.unblocked), kept)
    unblocked = len(plan.unblocked)
    with panel():
        if confirm(
            plan,
            counted_action("Delete", unblocked, "manifest"),
            typed=name if unblocked > 1 else "",
            ready=unblocked > 0,
            icon=":material/delete_forever:",
            in_dialog=False,
            notices=notices,
            effect=plan.unblocked,
        ):
            record = runs.delete_manifests(who, registry, plan)
            open_page(pages.DELETIONS, record=record)


check_url("how", "selection", (BY_RULE, BY_NAME))
check_url("do", "action", (IMAGES, TAGS))
with st.container(horizontal=True):
    how = st.radio(
        "Selection",
        [BY_RULE, BY_NAME],
        horizontal=True,
        key="how",
        bind="query-params",
    )
    what = st.radio("Action", [IMAGES, TAGS], horizontal=True, key="do", bind="query-params")
rule = ask_rule(contents) if how == BY_RULE else Rule()
if rule is None:
    st.stop()
chosen = choose(contents, rule, datetime.now(UTC)) if how == BY_RULE else ask_names(registry, contents)
notices = st.container()
if not chosen.tags and (what == TAGS or not chosen.digests):
    empty(":material/cleaning_services:", "Nothing chosen", NOTHING_MATCHES if rule.pattern else NO_PATTERN)
elif what == TAGS:
    remove_tags(chosen, notices)
else:
    delete_images(chosen, notices, by_name=how == BY_NAME)
if rule.pattern and what == IMAGES:
    az_lines(
        az_images.purge(registry.name, name, rule.pattern, rule.older_than.days, rule.keep, untagged=rule.leftovers),
        label="Dry run with acr purge, which ignores platforms and running images",
    )
