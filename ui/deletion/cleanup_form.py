"""The forms of a clean-up: a rule over tags and untagged manifests, or tags by name."""

from collections.abc import Sequence
from datetime import timedelta

import streamlit as st

from services.deletion.cleanup_rules import Chosen, Rule, choose_tags, platforms_of
from services.images.repositories import last_update_of
from services.images.repository_contents import RepositoryContents
from services.registries.registry import Registry
from ui.elements.text import plain
from ui.navigation.url_choice import check_number, check_url

# Names offered in a list; others can be typed.
OFFERED_TAGS = 1000


DAYS, KEEP = 36500, 10000


def ask_rule(contents: Sequence[RepositoryContents]) -> Rule | None:
    """Asks for the rule for these repositories, whose parts are kept in the URL. None where the URL names a part that
    can't be used: without it, the rule would choose more than it was asked to."""
    platforms = sorted({platform for one in contents for found in platforms_of(one).values() for platform in found})
    sound = (
        check_number("days", "number of days", 0, DAYS),
        check_url("platform", "platform", platforms),
        check_number("keep", "number to keep", 0, KEEP),
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        pattern = st.text_input(
            "Tag pattern",
            key="tags",
            placeholder="pr-*",
            bind="query-params",
            help="A glob: * matches any characters, ? any one character",
        )
        days = st.number_input(
            "Not updated for (days)",
            0,
            DAYS,
            30,
            key="days",
            bind="query-params",
            help="Moving a tag to another image updates it",
        )
        platform = st.selectbox(
            "Platform",
            platforms,
            index=None,
            key="platform",
            placeholder="Any",
            bind="query-params",
            help="Images of this platform only. An index of several platforms is not chosen by one of them",
        )
        keep = st.number_input(
            "Newest to keep",
            0,
            KEEP,
            0,
            key="keep",
            bind="query-params",
            help="Of the tags that match everything else",
        )
    leftovers = st.toggle("Include untagged manifests that nothing refers to", key="leftovers", bind="query-params")
    if not all(sound):
        return None
    return Rule((pattern or "").strip(), timedelta(days=days), platform or "", keep, leftovers)


def ask_names(registry: Registry, contents: RepositoryContents) -> Chosen:
    """Asks for tags by name, the newest offered first; warns of names that do not exist."""
    newest = sorted(contents.tags, key=last_update_of, reverse=True)
    picked = st.multiselect(
        "Tags",
        [tag.name for tag in newest[:OFFERED_TAGS]],
        key=f"picked in {registry.id}/{contents.name}",
        placeholder="Choose, or type a name",
        accept_new_options=True,
    )
    tags = choose_tags(contents, picked)
    if unknown := set(picked) - {tag.name for tag in tags}:
        st.warning(f"No such tag: {', '.join(plain(tag) for tag in sorted(unknown))}.")
    return Chosen(tags, tuple(dict.fromkeys(tag.digest for tag in tags)), ())
