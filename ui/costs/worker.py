"""The worker of a console process that delivers the cost report of each month, under the console's own identity."""

import hashlib
import logging
import threading

from services.connection.errors import ServiceError
from services.cost_reports.deliveries import (
    ClaimedReport,
    Target,
    claim_report,
    end_report,
    fail_report,
    has_due,
    hold_report,
    keep_report,
    note_versions,
    release_report,
)
from services.cost_reports.folder import check_folder, version_of, write_files
from services.cost_reports.webhook import host_of, post_report
from services.database.engine import read_clock
from ui.costs.month_report import MonthReport, file_names, make_report
from ui.costs.monthly import targets_of
from ui.jobs.looking import look_until
from ui.runtime import connection
from ui.runtime.database import database
from ui.runtime.settings import Settings, read_settings

_LOG = logging.getLogger("acr_console")
# Between two looks for reports that are due.
LOOK_EVERY_S = 60
# What was throttled or down is asked for so often before a report goes out without it.
MOST_FAILURES = 3
_UNREAD = "Unread"


def reports_until(stopped: threading.Event) -> None:
    """Delivers what is due until `stopped` is set, in a thread of its own."""
    # A console that has just started serves its first pages first.
    if not stopped.wait(LOOK_EVERY_S):
        look_until(stopped, LOOK_EVERY_S, deliver_due, "Monthly reports cannot be delivered")


def deliver_due(stopped: threading.Event) -> int:
    """Delivers all reports that are due now and that no other process makes; returns how many were tried. None where
    the settings name no target, or the console has no identity of its own. Raises ServiceError where it can't sign in,
    or the database can't be read."""
    settings = read_settings()
    targets = targets_of(settings)
    if not targets or not connection.has_own_identity():
        return 0
    who = connection.own_who()
    if not has_due(database(), who, targets):
        return 0
    number = 0
    while not stopped.is_set() and (claim := claim_report(database(), who, targets, settings.lease)):
        stop = threading.Event()
        with keep_report(database(), claim, settings.lease, stop, stopped):
            _deliver(settings, claim, stop)
        number += 1
    return number


def _deliver(settings: Settings, claim: ClaimedReport, stop: threading.Event) -> None:
    """Delivers what is claimed, and records it or why it was not."""
    try:
        made = _make(settings, claim, stop)
        place = _send(settings, claim, made, stop)
        end_report(database(), claim, place, made.lacks)
    except ServiceError as error:
        if error.code == "TakenOver":
            _LOG.info("%s", error)
            return
        if stop.is_set():
            release_report(database(), claim)
            return
        _LOG.warning("The cost report of %s was not delivered: %s", f"{claim.month:%Y-%m}", error)
        fail_report(database(), claim, f"{error.cause} {error.remedy}".strip(), unread=error.code == _UNREAD)
    except Exception as error:
        _LOG.exception("The cost report of %s was not delivered", f"{claim.month:%Y-%m}")
        fail_report(database(), claim, f"The console failed ({type(error).__name__}); the log has the details.")
        raise


def _make(settings: Settings, claim: ClaimedReport, stop: threading.Event) -> MonthReport:
    if settings.report_folder and claim.target is Target.FOLDER:
        check_folder(settings.report_folder, file_names(claim.month), claim.versions)
    made = make_report(connection.own_session(), claim.month, read_clock(database()).date(), stop)
    if made.may_pass and claim.failures < MOST_FAILURES:
        raise ServiceError(
            "The report was not made", f"{made.lacks}.", f"After {MOST_FAILURES} failures it goes out so.", _UNREAD
        )
    return made


def _send(settings: Settings, claim: ClaimedReport, made: MonthReport, stop: threading.Event) -> str:
    """Delivers the report; returns what may be shown of where it is. Raises ServiceError, also (Stopped) where it was
    to stop."""
    if stop.is_set():
        raise ServiceError("The report was not delivered", "The console's process ends.", "", "Stopped")
    if claim.target is Target.WEBHOOK:
        key = hashlib.sha256(f"{claim.estate} {claim.month}".encode()).hexdigest()[:32]
        # It was read for minutes: another process may have it since.
        hold_report(database(), claim, settings.lease)
        # A process that ends between this and its record posts it again, under the same id.
        post_report(settings.report_webhook, made.as_message(key), settings.ca_file)
        return host_of(settings.report_webhook)
    if not settings.report_folder:  # The settings were changed since.
        raise ServiceError("The report was not written", "The settings name no folder any more.", "", "NotWritten")
    files = made.as_files()
    versions = [version_of(content) for content in files.values()]
    there = check_folder(settings.report_folder, files, claim.versions)
    note_versions(database(), claim, versions, there)
    write_files(settings.report_folder, files, [*claim.versions, *versions])
    return " and ".join(files)
