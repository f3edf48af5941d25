"""The inventory's filters, kept in the URL."""

from collections.abc import Iterable
from dataclasses import dataclass

import streamlit as st

from services.registries.findings import Finding
from services.registries.registry import Registry
from ui.navigation.url_choice import check_url

# The parameters of the URL.
PARAMETERS = ("search", "subscription", "sku", "finding")


@dataclass(frozen=True)
class Filters:
    """What to show. An empty part filters nothing."""

    search: str
    subscriptions: tuple[str, ...]
    skus: tuple[str, ...]
    findings: tuple[str, ...]


def registry_filters(registries: Iterable[Registry], titles: Iterable[str]) -> Filters:
    """Shows the filters and returns their values. These are in the URL, so that a filtered inventory can be shared."""
    registries = list(registries)
    titles = sorted(set(titles))
    subscriptions = sorted({registry.subscription for registry in registries})
    skus = sorted({registry.sku for registry in registries})
    check_url("subscription", "subscription", subscriptions)
    check_url("sku", "SKU", skus)
    check_url("finding", "finding", titles)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        search = st.text_input(
            "Search", key="search", type="search", placeholder="Name, group, location or tag", bind="query-params"
        )
        chosen = st.multiselect("Subscription", subscriptions, key="subscription", bind="query-params")
        of_sku = st.multiselect("SKU", skus, key="sku", bind="query-params")
        found = st.multiselect("Finding", titles, key="finding", bind="query-params")
    return Filters((search or "").casefold().strip(), tuple(chosen), tuple(of_sku), tuple(found))


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
        and (not filters.findings or any(finding.title in filters.findings for finding in findings))
    )
