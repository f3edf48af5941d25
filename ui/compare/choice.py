"""The form that asks which image to compare with: of the same repository, another one, or another registry."""

import streamlit as st

from ui.compare.sides import Place, url_of
from ui.elements.errors import panel
from ui.loaders import images as image_loaders
from ui.loaders import registries as registry_loaders
from ui.navigation import pages, selection
from ui.navigation.links import open_page


def ask_other(who: str, left: Place) -> None:
    """Asks for the other image, and opens the comparison with it."""
    listed = registry_loaders.inventory(who).value.registries
    known = selection.with_login_server(listed)
    keys = selection.keys_of(known)
    here = next((at for at, one in enumerate(known) if one.id == left.registry.id), None)
    first, second, third = st.columns(3, vertical_alignment="bottom")
    registry = first.selectbox(
        "Registry",
        known,
        here,
        format_func=lambda one: keys[one.id],
        key="compare registry",
        help=selection.not_offered(listed) or None,
    )
    repository = second.text_input("Repository", left.repository, key="compare repository")
    if registry is None or not repository:
        return
    same = registry.id == left.registry.id and repository == left.repository
    tags = []
    with panel():
        newest = image_loaders.newest_tags(who, registry.login_server, repository)
        tags = [tag.name for tag in newest.tags if not (same and tag.name == left.reference)]
    reference = third.selectbox(
        "Tag or digest",
        tags,
        None,
        accept_new_options=True,
        placeholder="Choose one, or type it",
        key=f"compare reference {registry.id} {repository}",
        help="The 50 newest are listed",
    )
    if st.button("Compare images", icon=":material/compare:", type="primary", disabled=not reference) and reference:
        right = Place(registry, keys[registry.id], repository.strip(), str(reference).strip())
        open_page(pages.COMPARE, **url_of(left, right))
