"""Adding, moving and removing a tag: the plan, a confirmation, the deed, and what was read back."""

import streamlit as st

from services.commands import images as az_images
from services.images.tagging import apply_tag, apply_untag, plan_tag, plan_untag
from services.registries.registry import Registry
from ui.elements.errors import panel, show_refused
from ui.elements.notices import say_done
from ui.elements.outcomes import WORDS
from ui.elements.text import plain, short
from ui.loaders import contents
from ui.loaders import images as image_loaders
from ui.navigation import pages
from ui.navigation.links import open_page
from ui.runtime import connection


@st.dialog("Add or move a tag")
def add_tag(who: str, registry: Registry, repository: str, digest: str) -> None:
    """Puts a tag on `digest`. A tag that exists is moved only after a second yes."""
    name = (st.text_input("Tag", placeholder="v1.0.1") or "").strip()
    if not name:
        return
    client = connection.session(who).registry(registry.login_server)
    with panel():
        plan = plan_tag(client, repository, digest, name)
        if plan.refusal:
            st.warning(plain(plan.refusal), icon=":material/block:")
            return
        sure = True
        if plan.current_digest:
            st.markdown(f"**{plain(name)}** exists. It moves from {short(plan.current_digest)} to {short(digest)}.")
            sure = st.checkbox("Move it")
        else:
            st.markdown(f"**{plain(name)}** is new. It will point to {short(digest)}; nothing is copied.")
        moves = plan.current_digest is not None
        line = az_images.add_tag(registry.name, registry.login_server, repository, digest, name, move=moves)
        st.code(line, language="bash", wrap_lines=True)
        if st.button("Move the tag" if moves else "Add the tag", type="primary", disabled=not sure):
            tag = apply_tag(client, plan)
            _forget(who, registry, repository, name, digest)
            if plan.current_digest:
                image_loaders.manifest_row.clear(who, registry.login_server, repository, plan.current_digest)
            say_done(f"{plain(tag.name)} points to {short(tag.digest)}, as read back.")
            st.rerun()


@st.dialog("Remove a tag")
def untag(who: str, registry: Registry, repository: str, name: str) -> None:
    """Takes a tag away. The manifest stays, and so does what it costs."""
    client = connection.session(who).registry(registry.login_server)
    with panel():
        plan = plan_untag(client, repository, [name])
        (item,) = plan.items
        if item.refusal:
            st.warning(plain(item.refusal), icon=":material/block:")
            return
        st.markdown(
            f"**{plain(name)}** is removed from {short(item.digest)}. Pulls by digest go on; no space is freed."
        )
        if plan.left_untagged:
            st.warning("The manifest has no other tag: it will be untagged.", icon=":material/warning:")
        st.code(az_images.untag(registry.name, repository, name), language="bash", wrap_lines=True)
        if st.button("Remove the tag", type="primary"):
            result = apply_untag(client, plan)
            _forget(who, registry, repository, name, item.digest)
            if result.refused:
                show_refused(result, "tag", "tags")
                return
            say_done(f"Tag {plain(name)}: {WORDS[result.values[0].outcome]}.")
            # The page of the tag has nothing to show any more: that of its digest has.
            open_page(pages.IMAGE, **(st.query_params.to_dict() | {"reference": item.digest}))


def _forget(who: str, registry: Registry, repository: str, tag: str, digest: str) -> None:
    """What a tag's change makes stale, and no more."""
    server = registry.login_server
    image_loaders.tag.clear(who, server, repository, tag)
    image_loaders.manifest_row.clear(who, server, repository, digest)
    image_loaders.forget_repository(who, server, repository)
    contents.forget(who, server)
