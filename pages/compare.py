"""Two images side by side: layers, configuration, packages and history, what differs first."""

from collections.abc import Callable

import streamlit as st

from services.commands import images as az_images
from services.compare.comparison import compare_images
from services.compare.report import summary
from services.connection.errors import ServiceError
from services.connection.names import image_name
from services.connection.parallel import Partial, Refusal
from ui.compare import tabs
from ui.compare.choice import ask_other
from ui.compare.facts import show_comparison_facts, show_sides
from ui.compare.sides import (
    WITH,
    WITH_REGISTRY,
    WITH_REPOSITORY,
    Place,
    Top,
    choose_platforms,
    labels_of,
    other_registry,
    read_side,
    read_top,
    url_of,
)
from ui.elements.errors import Part, panel, show_error, show_partial
from ui.elements.page import az_lines, header
from ui.elements.skeleton import Shape, outlined
from ui.elements.text import plain, short
from ui.loaders import images as image_loaders
from ui.loaders import registries as registry_loaders
from ui.navigation import pages, selection
from ui.navigation.links import last_step, open_page, registry_steps, step
from ui.navigation.url_choice import check_url, offer_nearest
from ui.runtime import connection

SHOW = ("Layers", "Configuration", "Packages", "History", "Text")

who = connection.who()
registry = selection.registry_of_url(who, pages.COMPARE)
repository = selection.repository_of_url()
reference = selection.reference_of_url(repository)
left = Place(registry, st.query_params["registry"], repository, reference)
other = st.query_params.get(WITH, "")
path = (
    *registry_steps(registry.name, left.key, repository),
    step(pages.IMAGE, short(reference) if ":" in reference else reference, **left.url),
    last_step(pages.COMPARE.title),
)


def refresh() -> None:
    for place in (left, right):
        if place is None:
            continue
        server, name, digest = place.registry.login_server, place.repository, place.reference
        if ":" not in digest:
            with panel():
                digest = image_loaders.tag(who, server, name, digest).digest
            image_loaders.tag.clear(who, server, name, place.reference)
        image_loaders.manifest_row.clear(who, server, name, digest)
        image_loaders.newest_tags.clear(who, server, name)
        for top in tops:
            for one in (digest, *(child.digest for child in top.platforms.values())):
                image_loaders.referrers.clear(who, server, name, one)
                image_loaders.evidence.clear(who, server, name, one)


def read_both(left: Place, right: Place) -> tuple[Top, Top] | None:
    """What both references lead to; None where one could not be read, which is shown."""
    found: list[Top] = []
    for place in (left, right):
        try:
            found.append(read_top(who, place))
        except ServiceError as error:
            show_error(error)
    return (found[0], found[1]) if len(found) == 2 else None


def show_comparison(left: Place, right: Place) -> None:
    names = labels_of(left, right)
    notice = st.container()
    both = read_both(left, right)
    if both is None:
        return
    tops.extend(both)
    summary_place = st.container()
    mine, its, why = choose_platforms(*both)
    with outlined(Shape.TABLE, "a comparison", f"{left.name} {right.name} {mine}"):
        (first, lacks), (second, also_lacks) = read_side(who, both[0], mine), read_side(who, both[1], its)
        found = compare_images(first, second)
    with notice:
        refused: tuple[Refusal, ...] = (*lacks, *also_lacks)
        show_partial(Part(Partial((), refused), "part of the images", "parts of the images"))
    with summary_place:
        st.subheader(summary(found), anchor=False)
        if why:
            st.info(plain(why), icon=":material/info:")
        show_comparison_facts(found, names)
    check_url("show", "tab", SHOW)
    bodies: tuple[Callable[[], None], ...] = (
        lambda: tabs.show_layers(found, *names),
        lambda: tabs.show_configuration(found, *names),
        lambda: tabs.show_packages(found, *names),
        lambda: tabs.show_history(found, *names),
        lambda: tabs.show_text(found, left.name, right.name),
    )
    for tab, show in zip(st.tabs(list(SHOW), on_change="rerun", key="show", bind="query-params"), bodies, strict=True):
        if tab.open:
            with tab, panel():
                show()
    az_lines(
        *(az_images.show_manifest(one.registry.name, one.repository, one.reference) for one in (left, right)),
    )


listed = registry_loaders.inventory(who).value.registries
found_registry = other_registry(registry, listed.values)
right: Place | None = None
tops: list[Top] = []
if other and found_registry:
    key = st.query_params.get(WITH_REGISTRY, "") or left.key
    right = Place(found_registry, key, st.query_params.get(WITH_REPOSITORY, "") or repository, other)
caption = "" if right else plain(f"{image_name(repository, reference)} compared with another image")
with header(pages.COMPARE.title, caption, None, refresh, path):
    if right:
        if st.button("Swap", icon=":material/swap_horiz:", help="The other way round"):
            open_page(pages.COMPARE, **url_of(right, left))
        if st.button("Compare with another image", icon=":material/compare:"):
            open_page(pages.COMPARE, **left.url)
if right:
    show_sides(left, right)
    show_comparison(left, right)
elif other:
    wanted = st.query_params[WITH_REGISTRY]
    st.error(f"No registry {plain(wanted)} was found.", icon=":material/error:")
    offer_nearest(WITH_REGISTRY, wanted, list(selection.keys_of(listed.values).values()))
else:
    ask_other(who, left)
