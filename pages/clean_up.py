"""Cleans up a repository: choose tags or images by a rule or by name, see the plan, run it."""

from datetime import UTC, datetime

import pyarrow as pa
import streamlit as st

from services.commands import images as az_images
from services.deletion.cleanup_rules import Chosen, Rule, choose
from services.deletion.plan import plan_deletion
from services.images.repository_contents import RepositoryContents
from services.images.tagging import UntagPlan, plan_untag
from services.wording import counted
from ui.deletion import runs
from ui.deletion.cleanup_form import ask_names, ask_rule
from ui.deletion.plan import ask_running_images, contents_of, show_freed, show_plan
from ui.elements.errors import panel
from ui.elements.page import az_lines, empty, header
from ui.elements.table import show_rows
from ui.elements.text import plain, short
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
registry = selection.registry_of_url(who)
name = selection.repository_of_url()
header(
    f"{pages.CLEAN_UP.title} of {plain(name)}",
    f"In {plain(registry.name)}, nothing is deleted until you confirm",
    None,
    lambda: image_loaders.forget_repository(who, registry.login_server, name),
    (*registry_steps(registry.name, st.query_params["registry"], name), last_step(pages.CLEAN_UP.title)),
)
contents = contents_of(who, registry, name)


def remove_tags(chosen: Chosen) -> None:
    plan = plan_untag(
        registry.name,
        contents.repository,
        {tag.name: tag for tag in chosen.tags},
        {row.digest: row.tags for row in contents.rows},
    )
    unblocked = plan.unblocked
    st.markdown(
        f"**{counted(len(unblocked), 'tag')}** of {counted(len(plan.items), 'chosen tag')} can be removed. "
        f"{counted(len(plan.left_untagged), 'manifest')} will be left untagged. "
        "No space is freed, and pulls by digest still work."
    )
    show_untag_table(plan)
    with panel():
        if confirm(
            plan,
            counted_action("Remove", len(unblocked), "tag"),
            typed=name if len(unblocked) > 1 else "",
            ready=bool(unblocked),
            icon=":material/delete_forever:",
            in_dialog=False,
        ):
            record = runs.remove_tags(who, registry, plan)
            open_page(pages.DELETIONS, record=record)


def show_untag_table(plan: UntagPlan) -> None:
    rows = [
        {
            "Tag": item.tag,
            "Manifest": short(item.digest),
            "Left untagged": item.digest in plan.left_untagged and not item.blocker,
            "Kept because": item.blocker or None,
        }
        for item in plan.items
    ]
    show_rows(rows, "Tags to remove", key="tags to remove", types={"Kept because": pa.string()})


def delete_images(contents: RepositoryContents, chosen: Chosen, *, by_name: bool) -> None:
    plan = plan_deletion(
        contents, chosen.digests, registry=registry.name, by_name=by_name, running=ask_running_images(contents)
    )
    if chosen.kept:
        with st.expander(
            f"{counted(len(chosen.kept), 'image stays', 'images stay')}: other tags, which were not chosen, point to "
            f"{'it' if len(chosen.kept) == 1 else 'them'}",
            icon=":material/sell:",
        ):
            rows = [{"Manifest": short(digest), "Also tagged": tag} for digest, tag in chosen.kept]
            show_rows(rows, "Images that stay", key="images that stay")
    if plan.unblocked:
        deleted = f"**{counted(len(plan.unblocked), 'manifest')}** and **{counted(len(plan.tags), 'tag')}**"
        st.markdown(f"{deleted} will be deleted.")
    show_freed(who, registry, contents, plan.digests)
    if plan.items:
        show_plan(plan)
    unblocked = len(plan.unblocked)
    with panel():
        if confirm(
            plan,
            counted_action("Delete", unblocked, "manifest"),
            typed=name if unblocked > 1 else "",
            ready=unblocked > 0,
            icon=":material/delete_forever:",
            in_dialog=False,
        ):
            record = runs.delete_manifests(who, registry, plan)
            open_page(pages.DELETIONS, record=record)


check_url("how", "selection", (BY_RULE, BY_NAME))
check_url("do", "action", (IMAGES, TAGS))
with st.container(horizontal=True):
    how = st.segmented_control(
        "Selection", [BY_RULE, BY_NAME], default=BY_RULE, required=True, key="how", bind="query-params"
    )
    what = st.segmented_control("Action", [IMAGES, TAGS], default=IMAGES, required=True, key="do", bind="query-params")
rule = ask_rule(contents) if how == BY_RULE else Rule()
if rule is None:
    st.stop()
chosen = choose(contents, rule, datetime.now(UTC)) if how == BY_RULE else ask_names(registry, contents)
if not chosen.tags and (what == TAGS or not chosen.digests):
    empty(":material/cleaning_services:", "Nothing chosen", NOTHING_MATCHES if rule.pattern else NO_PATTERN)
elif what == TAGS:
    remove_tags(chosen)
else:
    delete_images(contents, chosen, by_name=how == BY_NAME)
if rule.pattern and what == IMAGES:
    az_lines(
        az_images.purge(registry.name, name, rule.pattern, rule.older_than.days, rule.keep, untagged=rule.leftovers),
        label="Dry run with acr purge, which ignores platforms and running images",
    )
