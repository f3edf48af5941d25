"""The worker of a console process that takes a snapshot of each registry a day, under the console's own identity."""

import logging
import threading
from calendar import monthrange
from datetime import date

from services.connection.errors import ServiceError
from services.connection.session import AzureSession
from services.database.engine import read_clock
from services.growth.daily import (
    LIST,
    ClaimedRead,
    claim_read,
    end_list,
    end_read,
    fail_read,
    has_reads,
    keep_read,
    release_read,
)
from services.growth.store import key_of
from services.growth.taking import take_snapshot
from services.index.pace import Pace
from services.index.store import IndexStore
from services.pricing.estimates import Estimate, estimate_of
from services.pricing.price_cache import list_prices
from services.pricing.retail_prices import CURRENCIES
from services.registries.reading import list_registries
from services.registries.registry import Registry
from services.running.answers import azure_of
from services.wording import counted
from ui.jobs.looking import look_until
from ui.runtime import connection
from ui.runtime.database import database, shared_contents
from ui.runtime.settings import read_settings

_LOG = logging.getLogger("acr_console")
# Between two looks for registries that have no snapshot of today.
LOOK_EVERY_S = 60


def snapshots_until(stopped: threading.Event) -> None:
    """Takes what is due until `stopped` is set, in a thread of its own."""
    # A console that has just started serves its first pages first.
    if not stopped.wait(LOOK_EVERY_S):
        look_until(stopped, LOOK_EVERY_S, take_due, "Daily snapshots cannot be taken")


def take_due(stopped: threading.Event) -> int:
    """Takes all snapshots that are due now and that no other process takes; returns how many registries were read or
    tried. None where the console has no identity of its own, or no budget of reads. Raises ServiceError where it can't
    sign in, or the database can't be read."""
    settings = read_settings()
    if not settings.snapshot_reads or not connection.has_own_identity():
        return 0
    who = connection.own_who()
    if not has_reads(database(), who):
        return 0
    number = 0
    while not stopped.is_set() and (claim := claim_read(database(), who, settings.lease)):
        stop = threading.Event()
        with keep_read(database(), claim, settings.lease, stop, stopped):
            _read(who, claim, settings.snapshot_reads, stop)
        number += claim.registry != LIST
    return number


def _read(who: str, claim: ClaimedRead, reads_a_minute: int, stop: threading.Event) -> None:
    """Reads what is claimed, and records it or why it failed."""
    session = connection.own_session()
    try:
        if claim.registry == LIST:
            _list(session, claim)
        else:
            _take(session, who, claim, reads_a_minute, stop)
    except ServiceError as error:
        if error.code == "TakenOver":
            _LOG.info("%s", error)
            return
        if stop.is_set():
            release_read(database(), claim)
            return
        _LOG.warning("The daily snapshot failed: %s", error)
        fail_read(database(), claim, f"{error.cause} {error.remedy}".strip())
    except Exception as error:
        _LOG.exception("The daily snapshot failed")
        fail_read(database(), claim, f"The console failed ({type(error).__name__}); the log has the details.")
        raise


def _list(session: AzureSession, claim: ClaimedRead) -> None:
    """Records the registries that the console's own identity sees."""
    listed = list_registries(session)
    found = {key_of(one): one.id for one in listed.values}
    refused = counted(len(listed.refused), "subscription")
    end_list(database(), claim, found, "" if listed.complete else f"{refused} could not be read.")


def _take(session: AzureSession, who: str, claim: ClaimedRead, reads_a_minute: int, stop: threading.Event) -> None:
    def estimate(registry: Registry) -> Estimate | None:
        currency = CURRENCIES[0]
        prices = list_prices(session, database, currency, (registry.location,)).by_region.get(registry.location)
        return estimate_of(registry, prices, _days(claim.day)) if prices else None

    now = read_clock(database())
    if now.date() != claim.day:  # It is the next day since it was claimed, or a clock was set.
        release_read(database(), claim)
        return
    registry, found = take_snapshot(
        session,
        claim.resource,
        now,
        pace=Pace(reads_a_minute, stop).take,
        index=IndexStore(database(), azure_of(who)),
        store=shared_contents(),
        estimate=estimate,
        stop=stop,
    )
    if key_of(registry) != claim.registry:
        why = "Another registry of this name was created since: the next list has it."
        raise ServiceError("The snapshot was not taken", why, "", "NotTheRegistry")
    end_read(database(), claim, found)


def _days(day: date) -> int:
    return monthrange(day.year, day.month)[1]
