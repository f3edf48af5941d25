"""A policy simulated over many registries, one after the other, in the background: their figures, and the total."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from threading import Event
from typing import Any

import pyarrow as pa
import streamlit as st

from services.connection.data_plane import require_same_time
from services.connection.errors import ServiceError
from services.connection.parallel import Partial, Refusal
from services.database.engine import read_clock
from services.deletion.running_images import list_places
from services.estate.potential import Saving
from services.policies.decisions import LastPulls
from services.policies.policy import Policy, matches
from services.policies.pulls import last_pulls, waits_for_pulls
from services.policies.registries import ManyFigures, RegistryFigures, figures_of, saving_of_figures
from services.policies.simulation import simulate
from services.policies.text import format_policy
from services.pricing.money import money
from services.pricing.price_sheet import with_sheet
from services.pricing.prices import Prices
from services.pulls.pulls import RegistryPulls
from services.registries.registry import Registry
from services.wording import counted
from ui.elements.columns import money_column
from ui.elements.errors import Part, show_error, show_partial
from ui.elements.metrics import Metric, show_metrics
from ui.elements.page import empty
from ui.elements.selectable_table import openable
from ui.elements.styled_table import Worded
from ui.elements.text import plain, size
from ui.loaders import clusters as cluster_loaders
from ui.loaders import contents as contents_loader
from ui.loaders import registries as registry_loaders
from ui.loaders import running as running_loader
from ui.loaders.prices import price_list
from ui.loaders.pulls import registry_pulls
from ui.navigation.selection import keys_of, with_login_server
from ui.pricing.prices import sheet_in_use
from ui.runtime import connection
from ui.runtime.background import Reading, fresh, show_progress, start
from ui.runtime.database import database

_CURRENCY = "USD"
# How soon a stop reaches the registry that is being read.
_LOOK_S = 0.2
_CHOSEN = "registries of the simulation"


class _Stopped(Exception):
    """The simulation was stopped within a registry."""


@st.cache_resource(
    ttl="10m",
    show_spinner=False,
    max_entries=10,
    validate=fresh,
    hash_funcs={Policy: format_policy, Registry: lambda registry: registry.id},
)
def _simulated(
    who: str,
    policy: Policy,
    registries: tuple[Registry, ...],
    asked: tuple[tuple[str, datetime], ...],  # noqa: ARG001 A part of the key: what clusters answered when.
    unknown_too: bool,
) -> Reading[ManyFigures]:

    def work(reading: Reading[ManyFigures]) -> None:
        for number, registry in enumerate(registries):
            reading.report(number, len(registries), registry.name)
            try:
                found = _simulate_one(who, policy, registry, reading.stop, unknown_too=unknown_too)
                reading.value = replace(reading.value, registries=(*reading.value.registries, found))
            except ServiceError as error:
                reading.value = replace(reading.value, refused=(*reading.value.refused, Refusal(registry.name, error)))
            except _Stopped:
                break
        reading.lacks = reading.value.refused

    return start(ManyFigures(), work, verb="Simulating")


def simulated_many(
    who: str, policy: Policy, registries: tuple[Registry, ...], *, unknown_too: bool = False
) -> Reading[ManyFigures]:
    """The simulation over these registries, as far as it has come: anew once a cluster has answered. One that can't be
    read is refused in it. `unknown_too`: it counts as deleted also what may run in what did not answer, which no run
    deletes: for an estimate that says so."""
    return _simulated(who, policy, registries, running_loader.asked_when(who), unknown_too)


def _simulate_one(who: str, policy: Policy, registry: Registry, stop: Event, *, unknown_too: bool) -> RegistryFigures:
    """Raises ServiceError where the registry, which clusters may pull, or needed logs can't be read."""
    server = registry.login_server
    contents = contents_loader.registry(who, server)
    _await(contents, stop, stops=True)
    count = contents_loader.last_count(who, server)
    if count is None:
        cause = "What was read of it was forgotten meanwhile."
        raise ServiceError(f"Could not simulate {registry.name}", cause, "Simulate again.", "Forgotten")
    if count.contents.refused and not count.contents.values:
        raise count.contents.refused[0].error
    _await(cluster_loaders.pulls(who), stop)
    # What of these can't be read is unknown, and keeps what it may run.
    _wait(running_loader.apps(who), stop)
    clusters = cluster_loaders.pulls(who)
    if any(one.container_insights for one in clusters.value.clusters.values):
        _wait(running_loader.logged(who, clusters.at), stop)
    known = running_loader.known_of(who, registry)
    pulls = RegistryPulls()
    if waits_for_pulls(policy):
        logs = registry_pulls(who, registry)
        _await(logs, stop)
        pulls = logs.value
    now = read_clock(database())
    require_same_time(connection.session(who).registry(server), f"Could not simulate {registry.name}", now)
    found = simulate(
        policy,
        count.contents,
        now,
        registry=registry.name,
        running=lambda one: replace(known.of(one), accept_unasked=unknown_too),
        pulls=last_pulls(pulls, count.contents.values),
        unknown_pulls=LastPulls(why=pulls.why),
    )
    return figures_of(registry, found, (one.label for one in known.unasked))


def _await(reading: Reading[Any], stop: Event, *, stops: bool = False) -> None:
    """As `_wait`. Raises its error too."""
    _wait(reading, stop, stops=stops)
    if reading.error:
        raise reading.error


def _wait(reading: Reading[Any], stop: Event, *, stops: bool = False) -> None:
    """Waits for its end. Raises _Stopped where `stop` is set before, which `stops` it too."""
    while not reading.finished.wait(_LOOK_S):
        if stop.is_set():
            if stops:
                reading.stop.set()
                reading.finished.wait()
            raise _Stopped
    if stop.is_set():
        raise _Stopped


def show_many(who: str, policy: Policy) -> Registry | None:
    """Asks which registries, simulates the policy over them, and shows the figures. Returns the one to look at alone
    that the person opens."""
    inventory = registry_loaders.inventory(who)
    show_progress(inventory, "inventory of the simulation")
    listed = inventory.value.registries
    if inventory.error:
        show_error(inventory.error)
    offered = {one.id: one for one in with_login_server(listed) if matches(one.name, policy.registries)}
    if not offered:
        show_partial(Part(listed, "subscription"))
        if listed.complete and not inventory.running and not inventory.error:
            empty(":material/inventory_2:", "No registry of this policy", "Its patterns match none that you see.")
        return None
    chosen = st.multiselect(
        "Registries", list(offered), list(offered), format_func=lambda key: offered[key].name, key=_CHOSEN
    )
    registries = tuple(offered[key] for key in chosen)
    wanted = (format_policy(policy), tuple(chosen))
    if st.button(
        f"Simulate {counted(len(registries), 'registry', 'registries')}",
        icon=":material/play_arrow:",
        disabled=not registries,
        help="Reads every manifest of them, one registry after the other",
    ):
        st.session_state["simulated over many"] = wanted
    if st.session_state.get("simulated over many") != wanted or not registries:
        show_partial(Part(listed, "subscription"))
        return None
    reading = simulated_many(who, policy, registries)
    show_progress(reading, "simulation over many")
    found = reading.value
    untried = len(registries) - len(found.registries) - len(found.refused)
    show_partial(
        Part(listed, "subscription"),
        Part(Partial((), found.refused, 0 if reading.running else untried), "registry", "registries"),
    )
    if reading.error:
        show_error(reading.error)
    return _show_figures(who, found, registries, untried)


def _show_figures(who: str, found: ManyFigures, registries: Sequence[Registry], untried: int) -> Registry | None:
    if not found.registries and not found.refused:
        return None
    prices, currency, waiting = prices_by_region(who, registries)
    savings = {one.registry.id: saving_of_figures(one, prices.get(one.registry.location)) for one in found.registries}
    known = [one.amount for one in savings.values() if one.amount is not None]
    exact, left = found.exact and not untried, len(registries) - len(found.registries)
    lacks = f"{left:,} of {counted(len(registries), 'registry', 'registries')} unknown" if left else ""
    bound = "" if exact else "≤ " if not left else ""
    show_metrics(
        [
            Metric(
                "Manifests to delete",
                found.deleted if found.registries else None,
                beside=f"of {sum(one.manifests for one in found.registries):,}",
                lacks=lacks or (f"not known whether {found.unknown:,} more run" if found.unknown else ""),
                unknown="no registry could be read.",
            ),
            Metric(
                "Frees",
                f"{bound}{size(found.freed)}" if found.registries else None,
                lacks=lacks,
                help="" if exact else "At most, of registries of which not everything could be read",
                unknown="no registry could be read.",
            ),
            Metric(
                "Saved a month",
                money(sum(known, Decimal(0)), currency) if known and not waiting else None,
                lacks=lacks if len(known) == len(savings) else "not every registry has a known price",
                unknown="prices are not read yet." if waiting else "no price is known.",
                help="What is beyond the included storage, at list prices or those of the price sheet",
            ),
            Metric("Registries", len(found.registries), beside=f"of {len(registries):,} simulated"),
        ]
    )
    unasked = {label for one in found.registries for label in one.unasked if one.unknown}
    if unasked:
        st.info(
            f"Unknown what runs in {plain(list_places(sorted(unasked)))}: so "
            f"{counted(found.unknown, 'manifest stays', 'manifests stay')} that the rules choose. Open a registry to "
            "ask them, or to delete all the same.",
            icon=":material/help:",
        )
    return _show_table(found, savings, currency)


def _show_table(found: ManyFigures, savings: Mapping[str, Saving], currency: str) -> Registry | None:
    keys = keys_of(one.registry for one in found.registries)
    opened = openable(
        sorted(found.registries, key=lambda one: (-one.freed, -one.deleted, one.registry.name)),
        lambda one: {
            "Registry": keys[one.registry.id],
            "Deletes": one.deleted,
            "Of": one.manifests,
            "Repositories": one.repositories,
            "Frees": one.freed,
            "Saved": None if (saved := savings[one.registry.id].amount) is None else float(saved),
            "Running": one.running,
            "Unknown": one.unknown,
            "Note": _note(one),
        },
        "registries of the simulation",
        "What the policy deletes of each registry, the most bytes first",
        columns={
            "Deletes": st.column_config.NumberColumn("Manifests to delete"),
            "Of": st.column_config.NumberColumn("Manifests"),
            "Frees": Worded(size),
            "Saved": money_column("At list prices or those of the price sheet")
            | {"label": f"Saved a month ({currency})"},
            "Running": st.column_config.NumberColumn(
                "Stay, running", help="At least, where a cluster that may run any of it did not answer"
            ),
            "Unknown": st.column_config.NumberColumn(
                "Stay, unknown", help="Chosen by the rules, and not known whether they run"
            ),
            "Note": st.column_config.TextColumn(width="large"),
        },
        types={"Saved": pa.float64(), "Running": pa.int64(), "Unknown": pa.int64(), "Note": pa.string()},
        identity=lambda one: one.registry.id,
    )
    return opened.registry if opened else None


def _note(one: RegistryFigures) -> str | None:
    unread = f"{counted(one.unread, 'repository', 'repositories')} unread" if one.unread else ""
    incomplete = f"{counted(one.incomplete, 'repository', 'repositories')} read in part" if one.incomplete else ""
    return " · ".join(note for note in (unread, incomplete, *one.above) if note) or None


def prices_by_region(who: str, registries: Sequence[Registry]) -> tuple[Mapping[str, Prices], str, bool]:
    """The prices by region, those of the price sheet over list prices; their currency; whether they are being read."""
    _, sheet = sheet_in_use()
    currency = sheet.currency if sheet else _CURRENCY
    reading = price_list(who, currency, tuple(sorted({one.location for one in registries})))
    prices = reading.value.by_region
    if sheet and reading.value.currency == sheet.currency:
        prices = {region: with_sheet(price, sheet) for region, price in prices.items()}
    return prices, currency, reading.running
