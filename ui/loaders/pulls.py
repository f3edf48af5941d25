"""When images of a registry were pulled last, by its logs: read beside the page, once a registry and identity."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

import streamlit as st

from services.connection.errors import ServiceError
from services.connection.parallel import Partial, Refusal, parallel_map
from services.connection.session import AzureSession
from services.pulls.events import Events, read_changes, read_events
from services.pulls.metrics import MonthCounts, read_month
from services.pulls.pulls import RegistryPulls, read_pulls, read_pulls_since
from services.registries.reading import get_registry
from services.registries.registry import Registry
from ui.elements.errors import Part
from ui.loaders.registries import BY_ID, inventory
from ui.runtime import connection
from ui.runtime.background import Reading, fresh, start


@st.cache_resource(ttl="10m", show_spinner=False, max_entries=2_100, validate=fresh, hash_funcs=BY_ID)
def registry_pulls(who: str, registry: Registry) -> Reading[RegistryPulls]:
    """The pulls of a registry that are logged."""
    session = connection.session(who)

    def work(reading: Reading[RegistryPulls]) -> None:
        reading.report_state(f"pulls of {registry.name}")
        reading.value = read_pulls(session, registry)
        reading.lacks = reading.value.unread

    return start(RegistryPulls(), work)


# A session is told by whose it is.
@st.cache_resource(ttl="1m", show_spinner=False, max_entries=100, hash_funcs={AzureSession: lambda _session: ""})
def pulls_since(
    who: str,  # noqa: ARG001 A part of the key.
    registry_id: str,
    since: datetime,
    session: AzureSession,
) -> RegistryPulls:
    """The pulls of a registry that are logged since then, for deletions that run: one look a minute serves all of
    `who` on the registry, since Log Analytics takes 200 requests of a person in half a minute. Raises ServiceError
    where the registry can't be read."""
    now = datetime.now(UTC)
    return read_pulls_since(session, get_registry(session, registry_id), now - since, now)


@st.cache_resource(ttl="10m", show_spinner=False, max_entries=20, validate=fresh)
def estate_pulls(who: str) -> Reading[Mapping[str, RegistryPulls]]:
    """The pulls that are logged of every registry that the inventory has now, by the registry's id, as far as they have
    been read: one read for all, as each alone would have a thread of its own."""
    session = connection.session(who)
    registries = inventory(who).value.registries.values

    def work(reading: Reading[Mapping[str, RegistryPulls]]) -> None:
        found: dict[str, RegistryPulls] = {}
        reading.report(0, len(registries), "logs of pulls")

        def done(at: int, pulls: RegistryPulls | ServiceError) -> None:
            if isinstance(pulls, ServiceError):
                pulls = RegistryPulls(why=pulls.cause, unread=(Refusal(registries[at].name, pulls),))
            found[registries[at].id] = pulls
            reading.report(len(found), len(registries), "logs of pulls")

        parallel_map(lambda one: read_pulls(session, one), registries, done=done, stop=reading.stop)
        reading.value = found
        reading.lacks = tuple(refusal for one in found.values() for refusal in one.unread)

    nothing: Mapping[str, RegistryPulls] = {}
    return start(nothing, work)


@st.cache_resource(ttl="10m", show_spinner=False, max_entries=500, validate=fresh, hash_funcs=BY_ID)
def month_counts(who: str, registry: Registry) -> Reading[MonthCounts | None]:
    """The pulls and pushes of the last 30 days, by metrics; None until they are read."""
    session = connection.session(who)

    def work(reading: Reading[MonthCounts | None]) -> None:
        reading.report_state(f"metrics of {registry.name}")
        reading.value = read_month(session, registry)

    nothing: MonthCounts | None = None
    return start(nothing, work)


@st.cache_resource(ttl="10m", show_spinner=False, max_entries=100, validate=fresh, hash_funcs=BY_ID)
def changes(who: str, registry: Registry) -> Reading[Events]:
    """What was pushed, untagged and deleted, as far as logs go back."""
    session = connection.session(who)

    def work(reading: Reading[Events]) -> None:
        reading.report_state(f"events of {registry.name}")
        reading.value = read_changes(session, registry)

    return start(Events(), work)


@st.cache_resource(ttl="2m", show_spinner=False, max_entries=20, validate=fresh, hash_funcs=BY_ID)
def events(who: str, registry: Registry, span: timedelta) -> Reading[Events]:
    """What happened in the registry in the last `span`, pulls too."""
    session = connection.session(who)

    def work(reading: Reading[Events]) -> None:
        reading.report_state(f"events of {registry.name}")
        reading.value = read_events(session, registry, span)

    return start(Events(), work)


def forget_logs(who: str, registry: Registry, spans: Iterable[timedelta] = ()) -> None:
    """Drops what was read of a registry's logs."""
    registry_pulls.clear(who, registry)
    estate_pulls.clear(who)
    changes.clear(who, registry)
    for span in spans:
        events.clear(who, registry, span)


def unread_pulls(pulls: RegistryPulls) -> Part:
    """What could not be read of a registry's pulls, for the one notice of a page."""
    return Part(Partial((), pulls.unread), "log of pulls", "logs of pulls")
