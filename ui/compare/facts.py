"""The head of a comparison: the two images, and the figures of both."""

import streamlit as st

from services.compare.comparison import Comparison
from services.images.manifests import parse_time
from services.wording import counted
from ui.compare.sides import Place, labels_of
from ui.elements.fact_row import Fact, show_fact_row
from ui.elements.text import ago, exact, plain, size
from ui.navigation import pages
from ui.navigation.links import link_to


def show_sides(left: Place, right: Place) -> None:
    """The two images, each a link to its page."""
    names = labels_of(left, right)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        for number, (place, name) in enumerate(zip((left, right), names, strict=True)):
            if number:
                st.markdown("compared with", width="content")
            link_to(pages.IMAGE, plain(name), tip=plain(place.name), **place.url)


def show_comparison_facts(found: Comparison, names: tuple[str, str]) -> None:
    """Size, what a node still loads, packages and age: of both."""
    mine, its = found.left, found.right
    pull = found.layers.pull_right if found.layers else None
    packages = [counted(len(one.sbom.sbom.packages), "package") if one.sbom.sbom else "" for one in (mine, its)]
    show_fact_row(
        [
            Fact(
                "Pull size",
                f"{size(mine.pull_size)} → {size(its.pull_size)}",
                "Compressed layers of the platform that is compared",
                _totals(found),
            ),
            Fact(
                "To load on update",
                size(pull),
                f"The layers of {plain(names[1])} that a node with {plain(names[0])} does not have",
                f"back: {size(found.layers.pull_left)}" if found.layers else "unknown",
            ),
            Fact(
                "Packages",
                f"{len(found.packages.differing):,} changed" if found.packages else "–",
                "By the SBOMs that refer to the images or are attested in their indexes",
                f"{found.packages.same:,} the same" if found.packages else _packages_unknown(found, packages),
            ),
            Fact(
                "Pushed",
                f"{ago(mine.pushed)} → {ago(its.pushed)}",
                f"{plain(names[0])}: {exact(mine.pushed)}  \n{plain(names[1])}: {exact(its.pushed)}",
                _built(found),
            ),
        ]
    )


def _totals(found: Comparison) -> str:
    totals = [one.total for one in (found.left, found.right) if one.platforms]
    if not totals:
        return ""
    return "all platforms: " + " → ".join(
        size(one.total) if one.platforms else size(one.pull_size) for one in (found.left, found.right)
    )


def _packages_unknown(found: Comparison, packages: list[str]) -> str:
    if found.left.sbom.unknown or found.right.sbom.unknown:
        return "unknown"
    return "no SBOM" if not any(packages) else "one has no SBOM"


def _built(found: Comparison) -> str:
    times = [parse_time(one.config.created) if one.config else None for one in (found.left, found.right)]
    return "built " + " → ".join(ago(time) for time in times) if any(times) else "time of build unknown"
