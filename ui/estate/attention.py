"""What needs attention, as a list: each entry opens its place."""

from collections.abc import Sequence

import streamlit as st

from services.aks.clusters import Cluster
from services.estate.attention import Attention
from services.registries.findings import Risk
from services.registries.registry import Registry
from services.wording import counted
from ui.elements.text import plain
from ui.estate.places import Place, place_of_cluster, place_of_registry
from ui.navigation import pages
from ui.navigation.links import link_to

# Entries of high and medium risk that are shown at once; the others are folded.
_SHOWN = 8
_BADGES = {
    Risk.HIGH: ("High risk", ":material/error:", "red"),
    Risk.MEDIUM: ("Medium risk", ":material/warning:", "orange"),
    Risk.LOW: ("Low risk", ":material/info:", "gray"),
}


def show_attention(
    entries: Sequence[Attention], registries: Sequence[Registry], clusters: Sequence[Cluster], *, unread: str
) -> None:
    """The entries by risk. `unread`: what was not read, so that there may be more; "" where all was."""
    st.subheader("Needs attention", anchor=False)
    urgent = [one for one in entries if one.risk is not Risk.LOW]
    others = [one for one in entries if one.risk is Risk.LOW]
    if not urgent and not unread:
        looked = [counted(len(registries), "registry", "registries"), counted(len(clusters), "cluster")]
        st.markdown(f":green[:material/check_circle:] Nothing of high or medium risk in {' and '.join(looked)}")
    shown = {risk: [one for one in urgent[:_SHOWN] if one.risk is risk] for risk in (Risk.HIGH, Risk.MEDIUM)}
    groups = [(risk, those) for risk, those in shown.items() if those]
    if groups:
        for column, (risk, those) in zip(st.columns(len(groups)), groups, strict=True):
            with column:
                _show_risk(risk, those, registries, clusters)
    if more := urgent[_SHOWN:]:
        with st.expander(f"{len(more):,} more of {' and '.join(_risks(more))} risk", icon=":material/warning:"):
            _show_entries(more, registries, clusters)
    if unread:
        st.markdown(f":small[:material/help: There may be more: {unread}]")
    if others:
        least = "At least " if unread else ""
        with st.expander(f"{least}{counted(len(others), 'low-risk finding')}", icon=":material/info:"):
            _show_entries(others, registries, clusters)


def _risks(entries: Sequence[Attention]) -> list[str]:
    return [risk.value for risk in Risk if any(one.risk is risk for one in entries)]


def _show_risk(
    risk: Risk, entries: Sequence[Attention], registries: Sequence[Registry], clusters: Sequence[Cluster]
) -> None:
    label, icon, colour = _BADGES[risk]
    st.badge(label, icon=icon, color=colour)  # type: ignore[arg-type]
    _show_entries(entries, registries, clusters)


def _show_entries(entries: Sequence[Attention], registries: Sequence[Registry], clusters: Sequence[Cluster]) -> None:
    with st.container(gap="xxsmall"):
        for one in entries:
            page, query = _place(one, registries, clusters)
            link_to(page, f"**{plain(one.title)}** · {plain(one.detail)}", tip=plain(one.reason), **query)


def _place(one: Attention, registries: Sequence[Registry], clusters: Sequence[Cluster]) -> Place:
    if one.budget:
        return pages.COST_REVIEW, {"show": "Budgets"}
    if one.policy:
        return pages.POLICIES, {"policy": one.policy, "show": "Schedule"}
    if one.record_id:
        return pages.DELETIONS, {"record": one.record_id}
    if one.cluster and one.registry:
        page, query = place_of_cluster(one.cluster, clusters)
        return page, {**place_of_registry(one.registry, registries)[1], **query}
    if one.cluster:
        return pages.PULL_MATRIX, {"search": one.cluster.name}
    if one.registry:
        return place_of_registry(one.registry, registries)
    return pages.INVENTORY, {"finding": one.finding}
