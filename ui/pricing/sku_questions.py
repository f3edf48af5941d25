"""The form of what a registry needs; a registry of the inventory can fill it in with what it uses."""

from decimal import Decimal

import streamlit as st

from services.connection.parallel import Partial
from services.pricing.sku_choice import Needs, needs_of
from services.registries.registry import Registry
from ui.elements.text import plain
from ui.navigation.selection import registry_box

# Field, label, maximum, step.
_NUMBERS = (
    ("replicas", "Replica regions besides the home region", 60, 1),
    ("endpoints", "Private endpoints", 200, 1),
    ("connected", "Connected registries", 50, 1),
    ("webhooks", "Webhooks", 500, 1),
    ("tokens", "Tokens or scope maps", 50_000, 10),
    ("reads", "Read requests a minute, peak", 1_000_000, 1000),
    ("writes", "Write requests a minute, peak", 1_000_000, 100),
    ("builds", "vCPU-minutes of ACR Tasks a month", 1_000_000, 100),
)
_SWITCHES = (
    ("anonymous", "Anonymous pull"),
    ("ownkey", "Customer-managed keys"),
    ("restricted", "Public access restricted to addresses, or off"),
    ("endpointsdata", "Dedicated data endpoints"),
    ("retention", "Retention policy for untagged manifests"),
)
MOST_GIB = 100 * 1024


def choose_start(registries: Partial[Registry]) -> Registry | None:
    """The registry whose use fills in the form; None to start from nothing."""
    return registry_box(registries, "Start from", nothing="Empty form", on_choice=answer_from)


def answer_from(registry: Registry | None) -> None:
    """Fills in the form with what the registry uses, in its region; empties it without one. For a callback."""
    for name, value in _answers(registry).items():
        st.session_state[name] = value
    if registry:
        st.session_state["region"] = registry.location


def ask(start: Registry | None) -> Needs:
    """The form, filled in with what `start` uses. All answers are in the URL."""
    first = _answers(start)
    if start and not needs_known(start):
        st.warning(
            f"No SKU is recommended: not all that {plain(start.name)} uses could be read "
            f"({', '.join(needs_of(start).unread)}). Choose the empty form to enter it.",
            icon=":material/warning:",
        )
    given: dict[str, float] = {}
    with st.grid(4, min_column_width=200):
        given["stored"] = st.number_input(
            "Stored, GiB", 0.0, float(MOST_GIB), first["stored"], 10.0, "%.1f", key="stored", bind="query-params"
        )
        for name, question, most, step in _NUMBERS:
            given[name] = st.number_input(question, 0, most, int(first[name]), step, key=name, bind="query-params")
    with st.container(horizontal=True):
        wanted = {name: st.toggle(label, bool(first[name]), key=name, bind="query-params") for name, label in _SWITCHES}
    used = needs_of(start).needs if start else None
    # The form rounds what a registry stores: its own figure counts until another is typed.
    stored = used.stored_gib if used and given["stored"] == first["stored"] else Decimal(repr(given["stored"]))
    return Needs(
        stored_gib=stored,
        replicas=int(given["replicas"]),
        private_endpoints=int(given["endpoints"]),
        connected=int(given["connected"]),
        webhooks=int(given["webhooks"]),
        tokens=int(given["tokens"]),
        reads=int(given["reads"]),
        writes=int(given["writes"]),
        task_seconds=Decimal(60 * int(given["builds"])),
        anonymous_pull=wanted["anonymous"],
        customer_key=wanted["ownkey"],
        restricted_network=wanted["restricted"],
        data_endpoints=wanted["endpointsdata"],
        retention=wanted["retention"],
    )


def needs_known(start: Registry | None) -> bool:
    """Whether the form is filled in with all that `start` uses, or is the reader's own."""
    return start is None or needs_of(start).needs is not None


def _answers(registry: Registry | None) -> dict[str, float]:
    """Widget key → what the registry uses; without one, 0 or off."""
    found = (needs_of(registry).needs if registry else None) or Needs()
    return {
        "stored": min(round(float(found.stored_gib), 1), float(MOST_GIB)),
        "replicas": found.replicas,
        "endpoints": found.private_endpoints,
        "connected": found.connected,
        "webhooks": found.webhooks,
        "tokens": found.tokens,
        "reads": found.reads,
        "writes": found.writes,
        "builds": 0,
        "anonymous": found.anonymous_pull,
        "ownkey": found.customer_key,
        "restricted": found.restricted_network,
        "endpointsdata": found.data_endpoints,
        "retention": found.retention,
    }
