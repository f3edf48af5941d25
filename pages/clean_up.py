"""Cleaning up a repository: tags or images chosen by a rule or by name, the plan of it, and the button that does it."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import streamlit as st

from services.commands import images as az_images
from services.deletion.cleanup_rules import Chosen, Rule, choose, choose_tags, platforms_of
from services.deletion.plan import plan_deletion
from services.images.repository_contents import RepositoryContents
from services.images.tagging import UntagPlan, decide_untag
from services.wording import counted
from ui.deletion import runs
from ui.deletion.plan import ask_what_runs, contents_of, show_freed, show_lines, show_plan
from ui.elements.errors import panel
from ui.elements.page import az_lines, empty, header
from ui.elements.table import show_rows
from ui.elements.text import plain, short
from ui.elements.writing import confirmed
from ui.loaders import images as image_loaders
from ui.navigation import pages, selection
from ui.navigation.links import crumb, open_page
from ui.runtime import connection

# Names offered in a list; others can be typed.
OFFERED_TAGS = 1000
BY_RULE, BY_NAME = "By a rule", "By name"
IMAGES, TAGS = "Delete images", "Remove tags only"

who = connection.who()
registry = selection.registry_of_url(who)
name = selection.repository_of_url()
crumb(pages.REPOSITORY, name, registry=st.query_params["registry"], repository=name)
header(
    f"Clean up {plain(name)}",
    f"In {plain(registry.name)}. Nothing is deleted before you say so below.",
    None,
    lambda: image_loaders.forget_repository(who, registry.login_server, name),
)
contents = contents_of(who, registry, name)


def ask_rule() -> Rule:
    platforms = sorted({platform for found in platforms_of(contents).values() for platform in found})
    with st.container(horizontal=True, vertical_alignment="bottom"):
        pattern = st.text_input(
            "Tags like", key="tags", placeholder="pr-*", bind="query-params", help="A glob: * is anything, ? one sign."
        )
        days = st.number_input(
            "Not changed for days", 0, 36500, 30, key="days", bind="query-params", help="A move of the tag counts."
        )
        platform = st.selectbox(
            "Platform",
            platforms,
            index=None,
            key="platform",
            placeholder="Any",
            bind="query-params",
            help="Images of this platform alone: an index of several is not chosen by one of them.",
        )
        keep = st.number_input(
            "Keep the newest", 0, 10000, 0, key="keep", bind="query-params", help="Of the tags that the rest chooses."
        )
    leftovers = st.toggle("Also what has no tag, if nothing points to it", key="leftovers", bind="query-params")
    return Rule((pattern or "").strip(), timedelta(days=days), platform or "", keep, leftovers)


def ask_names() -> Chosen:
    newest = sorted(contents.tags, key=lambda tag: tag.updated, reverse=True)
    picked = st.multiselect(
        "Tags",
        [tag.name for tag in newest[:OFFERED_TAGS]],
        key=f"picked in {registry.id}/{name}",
        placeholder="Choose, or type a name",
        accept_new_options=True,
    )
    tags = choose_tags(contents, picked)
    if unknown := set(picked) - {tag.name for tag in tags}:
        st.warning(f"There is no such tag: {', '.join(plain(tag) for tag in sorted(unknown))}.")
    return Chosen(tags, tuple(dict.fromkeys(tag.digest for tag in tags)), ())


def remove_tags(chosen: Chosen) -> None:
    plan = decide_untag(
        contents.repository,
        {tag.name: tag for tag in chosen.tags},
        {row.digest: row.tags for row in contents.rows},
    )
    going = [item for item in plan.items if not item.refusal]
    st.markdown(
        f"**{counted(len(going), 'tag')}** of {counted(len(plan.items), 'chosen tag')} can be removed. "
        f"{counted(len(plan.left_untagged), 'manifest then has', 'manifests then have')} no tag. "
        "No space is freed, and pulls by digest go on."
    )
    show_untag_table(plan)
    with panel():
        if confirmed(f"Remove {counted(len(going), 'tag')}", name, anything=bool(going), typed=len(going) > 1):
            record = runs.remove_tags(who, registry, plan)
            open_page(pages.DELETIONS, record=record)
    show_lines(az_images.untag(registry.name, name, item.tag) for item in going)


def show_untag_table(plan: UntagPlan) -> None:
    rows = [
        {
            "Tag": item.tag,
            "Manifest": short(item.digest),
            "Left untagged": item.digest in plan.left_untagged and not item.refusal,
            "Kept because": item.refusal or None,
        }
        for item in plan.items
    ]
    show_rows(rows, "Tags to remove", key="tags to remove", types={"Kept because": pa.string()})


def delete_images(contents: RepositoryContents, chosen: Chosen, *, by_name: bool) -> None:
    plan = plan_deletion(contents, chosen.digests, by_name=by_name, running=ask_what_runs(contents))
    if chosen.kept:
        with st.expander(
            f"{counted(len(chosen.kept), 'image stays', 'images stay')}: they have another tag, not chosen",
            icon=":material/sell:",
        ):
            rows = [{"Manifest": short(digest), "Also tagged": tag} for digest, tag in chosen.kept]
            show_rows(rows, "Images that stay", key="images that stay")
    st.markdown(f"**{counted(len(plan.going), 'manifest')}** and **{counted(len(plan.tags), 'tag')}** go.")
    show_freed(who, registry, contents, plan.digests)
    if plan.items:
        show_plan(plan)
    going = len(plan.going)
    with panel():
        if confirmed(f"Delete {counted(going, 'manifest')}", name, anything=going > 0, typed=going > 1):
            record = runs.delete_manifests(who, registry, plan)
            open_page(pages.DELETIONS, record=record)
    show_lines(az_images.delete_image(registry.name, name, digest) for digest in plan.digests)


with st.container(horizontal=True):
    how = st.segmented_control(
        "Choose", [BY_RULE, BY_NAME], default=BY_RULE, required=True, key="how", bind="query-params"
    )
    what = st.segmented_control("Do", [IMAGES, TAGS], default=IMAGES, required=True, key="do", bind="query-params")
rule = ask_rule() if how == BY_RULE else Rule()
chosen = choose(contents, rule, datetime.now(UTC)) if how == BY_RULE else ask_names()
if not chosen.tags and (what == TAGS or not chosen.digests):
    empty(":material/cleaning_services:", "Nothing is chosen", "Give a pattern of tags above, such as pr-*.")
elif what == TAGS:
    remove_tags(chosen)
else:
    delete_images(contents, chosen, by_name=how == BY_NAME)
if rule.pattern and what == IMAGES:
    az_lines(
        az_images.purge(registry.name, name, rule.pattern, rule.older_than.days, rule.keep, untagged=rule.leftovers),
        label="What acr purge would list, which knows no platform and takes no care of what runs",
    )
