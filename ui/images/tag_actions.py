"""The dialogs that add, move and remove a tag."""

import streamlit as st

from services.connection.data_plane import RegistryClient
from services.images.repositories import Tag
from services.images.tagging import UntagPlan, UntagResult, apply_tag, apply_untag, read_tag_plan, read_untag_plan
from services.registries.registry import Registry
from ui.elements.notices import dialog
from ui.elements.outcomes import WORDS
from ui.elements.text import plain, short
from ui.elements.writing import PlainPlan, confirm, dialog_panel
from ui.loaders import contents
from ui.loaders import images as image_loaders
from ui.navigation import pages
from ui.navigation.links import open_page
from ui.running.tags import warn_of_pods
from ui.runtime import connection
from ui.runtime.changes import confirm_and_run


@dialog("Add tag")
def add_tag(who: str, registry: Registry, repository: str, digest: str) -> None:
    """Adds a tag to `digest`. An existing tag is moved only if the box is ticked."""
    name = (st.text_input("Tag", placeholder="v1.0.1") or "").strip()
    if not name:
        confirm(PlainPlan(), "Add tag", ready=False)
        return
    client = connection.session(who).registry(registry.login_server)
    with dialog_panel():
        plan = read_tag_plan(client, registry.name, repository, digest, name)
        current, ready = plan.current_digest, True
        if plan.blockers:
            ready = False
        elif current:
            st.markdown(f"**{plain(name)}** exists. It moves from {short(current)} to {short(digest)}.")
            # The key has both digests: who agreed to move one tag did not agree to move another.
            ready = st.checkbox("Move the existing tag", key=f"move {repository}:{name} {current} {digest}")
        else:
            st.markdown(f"**{plain(name)}** is new. It will point to {short(digest)}; nothing is copied.")

        def forget() -> None:
            _forget(who, registry, repository, name, digest)
            if current:
                image_loaders.manifest_row.clear(who, registry.login_server, repository, current)

        def done(tag: Tag) -> str:
            return f"{plain(tag.name)} points to {short(tag.digest)}: {'moved' if current else 'added'} and verified."

        confirm_and_run(
            plan,
            "Move tag" if current else "Add tag",
            f"{registry.login_server}/{repository}:{name}",
            lambda _report: apply_tag(client, plan),
            forget,
            done,
            ready=ready,
            effect=(repository, digest, name, current),
        )


@dialog("Remove tag", width="medium")
def remove_tag(who: str, registry: Registry, repository: str, name: str) -> None:
    """Removes a tag. The manifest and its storage stay."""
    client = connection.session(who).registry(registry.login_server)
    with dialog_panel():
        plan = read_untag_plan(client, registry.name, repository, [name])
        (item,) = plan.items
        if not item.blocker:
            st.markdown(
                f"**{plain(name)}** is removed from {short(item.digest)}. "
                "Pulls by this tag fail afterwards; by digest they still work. No space is freed."
            )
            warn_of_pods(who, registry, repository, [name])
        confirm_and_run(
            plan,
            "Remove tag",
            f"{registry.login_server}/{repository}:{name}",
            lambda _report: _remove_one(client, plan),
            lambda: _forget(who, registry, repository, name, item.digest),
            lambda result: f"Tag {plain(name)}: {WORDS[result.outcome]}.",
            effect=plan.unblocked,
            # The page of the tag has nothing to show any more, that of its digest has.
            then=lambda: open_page(pages.IMAGE, **(st.query_params.to_dict() | {"reference": item.digest})),
        )


def _remove_one(client: RegistryClient, plan: UntagPlan) -> UntagResult:
    """Removes the plan's one tag. Raises ServiceError where Azure refuses that."""
    result = apply_untag(client, plan)
    if result.refused:
        raise result.refused[0].error
    return result.values[0]


def _forget(who: str, registry: Registry, repository: str, tag: str, digest: str) -> None:
    """Drops what a change of one tag makes stale, and no more."""
    server = registry.login_server
    image_loaders.tag.clear(who, server, repository, tag)
    image_loaders.manifest_row.clear(who, server, repository, digest)
    image_loaders.forget_changed(who, server, repository)
    contents.forget(who, server)
