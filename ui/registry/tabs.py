"""The tabs of a registry's page. Each reads what it shows, and only while it is open."""

from collections.abc import Callable

import streamlit as st

from services.registries.registry import Registry
from ui.elements.table import show_facts
from ui.navigation import pages
from ui.navigation.links import link_to
from ui.navigation.url_choice import check_url
from ui.registry.cost import show_cost
from ui.registry.facts import access_facts, data_facts, show_names, show_network_facts, show_usage
from ui.registry.findings import show_findings
from ui.registry.repositories import show_repositories


def show_tabs(who: str, registry: Registry, here: dict[str, str]) -> None:
    """The tabs; `here` is the registry in the URL."""
    bodies: dict[str, Callable[[], None]] = {
        "Overview": lambda: _show_overview(registry, here),
        "Images": lambda: show_repositories(who, registry, here),
        "Access": lambda: _show_access(registry, here),
        "Network": lambda: _show_network(registry, here),
        "Cost": lambda: show_cost(who, registry, here),
        "Settings": lambda: _show_settings(registry, here),
    }
    check_url("show", "tab", list(bodies))
    tabs = st.tabs(list(bodies), on_change="rerun", key="show", bind="query-params")
    for tab, show in zip(tabs, bodies.values(), strict=True):
        if tab.open:
            with tab:
                show()


def _show_overview(registry: Registry, here: dict[str, str]) -> None:
    show_findings(registry, here)
    show_names(registry)
    link_to(pages.SIGN_IN, "Sign in with another tool", **here)


def _show_access(registry: Registry, here: dict[str, str]) -> None:
    with st.container(horizontal=True):
        link_to(pages.ACCESS_REVIEW, **here)
        link_to(pages.ASSIGN_ROLE, **here)
        link_to(pages.SIGN_IN, **here)
        link_to(pages.TOKENS, _counted_label(registry, "Tokens", "Tokens"), **here)
        link_to(pages.ROLES, **here)
    show_facts(access_facts(registry))


def _show_network(registry: Registry, here: dict[str, str]) -> None:
    with st.container(horizontal=True):
        link_to(pages.SETTINGS, "Change network", **here)
        link_to(pages.REPLICAS, **here)
        link_to(pages.PULL_MATRIX, "Which clusters can pull", search=registry.name)
        link_to(pages.INTEGRATION_CHECKER, "Check a cluster", **here)
    show_network_facts(registry)
    if registry.replicas:
        st.subheader(f"Regions ({len(registry.replicas) + 1})", anchor=False)
        states = {one.region: f"{one.provisioning_state}, {one.status}" for one in registry.replicas}
        show_facts({registry.location: "Home region", **states})
    elif registry.replicas is None:
        st.markdown("Replicas unknown: they could not be read.")


def _show_settings(registry: Registry, here: dict[str, str]) -> None:
    with st.container(horizontal=True):
        link_to(pages.SETTINGS, "Change settings", **here)
        link_to(pages.WEBHOOKS, _counted_label(registry, "Webhooks", "Webhooks"), **here)
        link_to(pages.TASKS, **here)
        link_to(pages.REPLICAS, _replicas_label(registry), **here)
        link_to(pages.DELETED, **here)
        link_to(pages.SKU_COMPARISON, "Change SKU", **here)
    left, right = st.columns(2, gap="medium")
    with left:
        show_facts(data_facts(registry))
    with right:
        show_usage(registry)


def _counted_label(registry: Registry, label: str, usage: str) -> str:
    found = registry.usage(usage)
    return f"{label} ({found.current:,})" if found else label


def _replicas_label(registry: Registry) -> str:
    return pages.REPLICAS.title if registry.replicas is None else f"{pages.REPLICAS.title} ({len(registry.replicas)})"
