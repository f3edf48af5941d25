"""The tabs of a comparison: what differs first, what is the same folded to a count."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa
import streamlit as st

from services.compare.comparison import Comparison, Layer, Values
from services.compare.report import as_text, sbom_gaps
from services.compare.sbom import Package
from services.wording import counted
from ui.elements.columns import Sizes
from ui.elements.table import show_rows
from ui.elements.text import plain, short, size

Cells = Mapping[str, Any]
_TEXT = pa.string()


def show_layers(comparison: Comparison, left: str, right: str) -> None:
    """The layers of each alone, then those that both have, folded."""
    found = comparison.layers
    if found is None:
        _show_not_compared(image.unread for image in (comparison.left, comparison.right))
        return
    own = [(left, layer) for layer in found.left] + [(right, layer) for layer in found.right]
    if own:
        moved = any(layer.elsewhere for _, layer in own)
        show_rows(
            [
                {
                    "In": name,
                    **_layer_cells(layer),
                    **({"Also in the other": layer.elsewhere} if moved else {}),
                }
                for name, layer in own
            ],
            "Layers that differ, from the base up",
            columns={
                "Size": Sizes("Compressed"),
                "Made by": st.column_config.TextColumn(width="large"),
                "Also in the other": st.column_config.CheckboxColumn(help="In another place: it is not loaded again"),
            },
            types={"Made by": _TEXT, "Size": pa.float64()},
        )
    if found.shared:
        known = [layer.descriptor.size for layer in found.shared]
        weight = f", {size(sum(filter(None, known)))}" if None not in known else ""
        with st.expander(
            f"{counted(len(found.shared), 'layer')} shared from the base up{weight}", icon=":material/layers:"
        ):
            show_rows(
                [_layer_cells(layer) for layer in found.shared],
                "Layers that both have, from the base up",
                columns={"Size": Sizes("Compressed"), "Made by": st.column_config.TextColumn(width="large")},
                types={"Made by": _TEXT, "Size": pa.float64()},
            )
    elif not own:
        st.markdown("Neither has layers.")


def _layer_cells(layer: Layer) -> dict[str, Any]:
    return {
        "Layer": short(layer.descriptor.digest),
        "Size": layer.descriptor.size,
        "Made by": layer.made_by or None,
    }


def show_configuration(comparison: Comparison, left: str, right: str) -> None:
    """What they run, their environment, labels, ports and platforms: one table of all that differs."""
    parts: list[tuple[str, Values | None]] = [
        ("Setting", comparison.configuration),
        ("Environment", comparison.env),
        ("Port", comparison.ports),
        ("Label", comparison.labels),
        ("Platform of the index", comparison.platforms),
    ]
    if comparison.configuration is None:
        _show_not_compared(image.no_config or image.unread for image in (comparison.left, comparison.right))
    known = [(kind, values) for kind, values in parts if values is not None]
    rows = [
        {"Kind": kind, "Name": one.name, f"In {left}": one.left, f"In {right}": one.right}
        for kind, values in known
        for one in values.differing
    ]
    if rows:
        types = {f"In {left}": _TEXT, f"In {right}": _TEXT}
        show_rows(rows, "Settings that differ", types=types, placeholder="not set")
    same = sum(values.same for _, values in known)
    if comparison.configuration is not None or same:
        st.markdown(_same(same, "setting", differs=bool(rows)))


def _same(number: int, one: str, *, differs: bool) -> str:
    if not number:
        return f"No {one} is the same." if differs else f"Neither has a {one}."
    return f":material/check: {counted(number, one)} {'is' if number == 1 else 'are'} the same"


def show_packages(comparison: Comparison, left: str, right: str) -> None:
    """The packages that their SBOMs list: added, removed, and in other versions."""
    found = comparison.packages
    for gap in sbom_gaps(comparison, left, right):
        st.info(plain(f"{gap.rstrip('.')}."), icon=":material/help:")
    if found is None:
        st.markdown("Packages are not compared: both images need an SBOM that can be read.")
        for name, side in ((left, comparison.left.sbom), (right, comparison.right.sbom)):
            if side.sbom:
                with st.expander(
                    f"{counted(len(side.sbom.packages), 'package')} of {plain(name)} ({side.sbom.form})",
                    icon=":material/fact_check:",
                ):
                    _show_package_list(side.sbom.packages, name)
        return
    if found.differing:
        show_rows(
            [
                {
                    "Package": one.name,
                    "Kind": one.kind or None,
                    "Change": "Added" if one.left is None else "Removed" if one.right is None else "Changed",
                    f"In {left}": _versions(one.left),
                    f"In {right}": _versions(one.right),
                }
                for one in found.differing
            ],
            "Packages that differ",
            types={"Kind": _TEXT, f"In {left}": _TEXT, f"In {right}": _TEXT},
        )
    st.markdown(_same(found.same, "package", differs=bool(found.differing)))


def _show_package_list(packages: Sequence[Package], name: str) -> None:
    rows = [{"Package": one.name, "Kind": one.kind or None, "Version": _versions(one.versions)} for one in packages]
    show_rows(rows, f"Packages of {name}", key=f"packages {name}", types={"Kind": _TEXT, "Version": _TEXT})


def _versions(versions: tuple[str, ...] | None) -> str | None:
    return None if versions is None else ", ".join(version or "no version" for version in versions)


def show_history(comparison: Comparison, left: str, right: str) -> None:
    """The steps of one build alone, in the order of both; the steps of both folded."""
    if comparison.history is None:
        _show_not_compared(image.no_config or image.unread for image in (comparison.left, comparison.right))
        return
    steps = list(enumerate(comparison.history, 1))
    own = [(number, one) for number, one in steps if not (one.left and one.right)]
    both = [(number, one) for number, one in steps if one.left and one.right]
    wide = {"Step": st.column_config.TextColumn(width="large")}
    if own:
        show_rows(
            [
                {"Only in": left if one.left else right, "Step": one.step.command, "Makes a layer": not one.step.empty}
                for _, one in own
            ],
            "Steps that differ, from the base up",
            columns=wide,
        )
    if both:
        with st.expander(f"{counted(len(both), 'step')} the same", icon=":material/history:"):
            show_rows(
                [{"Number": number, "Step": one.step.command} for number, one in both],
                "Steps of both, from the base up",
                columns=wide,
            )
    elif not own:
        st.markdown("Neither has a history.")


def show_text(comparison: Comparison, left: str, right: str) -> None:
    """The comparison as Markdown, to copy. `left` and `right`: the images' full names."""
    st.code(as_text(comparison, left, right), language=None, height=480)


def _show_not_compared(whys: Iterable[str]) -> None:
    reasons = "; ".join(filter(None, whys)) or "it could not be read"
    st.markdown(f"Not compared: {plain(reasons)}.")
