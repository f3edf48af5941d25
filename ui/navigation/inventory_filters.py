"""The inventory's filters, kept in the URL."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import streamlit as st

from services.registries.findings import Finding, Risk
from services.registries.registry import Registry
from ui.navigation.url_choice import check_url, choose_pills

# The parameters of the URL.
PARAMETERS = ("search", "subscription", "sku", "finding")

# The filter for any finding of a high risk.
HIGH = "High risk"
# Before the title of a finding, as markdown.
SIGNS = {Risk.HIGH: ":red[▲] ", Risk.MEDIUM: ":orange[●] ", Risk.LOW: ""}


@dataclass(frozen=True)
class Filters:
    """What to show. An empty part filters nothing."""

    search: str
    subscriptions: tuple[str, ...]
    skus: tuple[str, ...]
    findings: tuple[str, ...]


def registry_filters(
    registries: Iterable[Registry], found: Sequence[tuple[Finding, int]], at_high_risk: int
) -> Filters:
    """Shows the filters and returns their values. These are in the URL, so that a filtered inventory can be shared.

    `found`: one finding of each title, in the order to show, and how many registries have it; `at_high_risk`: how many
    have one of a high risk.
    """
    registries = list(registries)
    subscriptions = sorted({registry.subscription for registry in registries})
    skus = sorted({registry.sku for registry in registries})
    high = f"{SIGNS[Risk.HIGH]}{HIGH} **{at_high_risk:,}**"
    labels = {HIGH: high} if at_high_risk else {}
    labels |= {finding.title: f"{SIGNS[finding.risk]}{finding.title} **{number:,}**" for finding, number in found}
    check_url("subscription", "subscription", subscriptions)
    check_url("sku", "SKU", skus)
    titles = choose_pills("finding", "Findings", labels) if labels else []
    with st.container(horizontal=True, vertical_alignment="bottom"):
        search = st.text_input(
            "Search", key="search", type="search", placeholder="Name, group, location or tag", bind="query-params"
        )
        chosen = st.multiselect("Subscription", subscriptions, key="subscription", bind="query-params")
        of_sku = st.multiselect("SKU", skus, key="sku", bind="query-params")
    return Filters((search or "").casefold().strip(), tuple(chosen), tuple(of_sku), tuple(titles))


def passes(registry: Registry, findings: Iterable[Finding], filters: Filters) -> bool:
    """Whether `registry` passes all filters: of several findings, it needs one."""
    texts = (
        registry.name,
        registry.resource_group,
        registry.location,
        *(f"{key}={value}" for key, value in registry.tags),
    )
    return (
        any(filters.search in text.casefold() for text in texts)
        and (not filters.subscriptions or registry.subscription in filters.subscriptions)
        and (not filters.skus or registry.sku in filters.skus)
        and (
            not filters.findings
            or any(finding.title in filters.findings for finding in findings)
            or (HIGH in filters.findings and any(finding.risk is Risk.HIGH for finding in findings))
        )
    )
