"""The worker that delivers monthly reports: once over several at once, taken over after a kill, with what it lacks."""

import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from sqlalchemy import update

from sandbox.billing.rows import CostRow, add_costs
from services.connection.errors import ServiceError
from services.connection.session import AzureSession
from services.cost_reports import deliveries as deliveries_module
from services.cost_reports.deliveries import Delivery, Target, deliveries
from services.costs.review import days_in
from services.database.tables import cost_reports
from services.jobs.audit import read_entries
from services.pricing.money import money
from tests.support.killed import Killed, killed_at
from tests.support.own_sandbox import OwnSandbox
from tests.support.webhooks import SECRET, Webhook, webhook
from ui.costs import worker
from ui.costs.month_report import MonthReport
from ui.runtime import connection
from ui.runtime.database import database

# A read waits in threads, which die with their process.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
NOW = datetime.now(UTC)
MONTH = deliveries_module.last_settled(NOW)
NAMES = [f"registry-cost-review-{MONTH:%Y-%m}.{ending}" for ending in ("csv", "html")]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "reports"
    found.mkdir()
    return found


@pytest.fixture(autouse=True)
def clean(own: OwnSandbox, tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("ACR_CONSOLE_DATA", str(tmp_path / "console"))
    monkeypatch.setenv("ACR_CONSOLE_REPORT_FOLDER", str(folder))
    st.cache_resource.clear()
    connection.use(own.session())
    yield
    st.cache_resource.clear()


@pytest.fixture
def hook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Webhook]:
    """A webhook in place of the folder."""
    with webhook(tmp_path / "hook") as found:
        monkeypatch.setenv("ACR_CONSOLE_REPORT_FOLDER", "")
        monkeypatch.setenv("ACR_CONSOLE_REPORT_WEBHOOK", found.address)
        monkeypatch.setenv("ACR_CONSOLE_CA_FILE", found.ca_file)
        yield found


def work() -> int:
    return worker.deliver_due(threading.Event())


def state(target: Target = Target.FOLDER) -> Delivery:
    (found,) = deliveries(database(), [target])
    return found


def files(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir())


def set_row(**values: object) -> None:
    """As the database is some time later."""
    with database().begin() as db:
        db.execute(update(cost_reports).values(**values))


def end_leases() -> None:
    with database().begin() as db:
        late = datetime.now(UTC) - timedelta(seconds=1)
        db.execute(update(cost_reports).where(cost_reports.c.lease_until.is_not(None)).values(lease_until=late))


def test_the_report_of_the_last_month_is_written_once(own: OwnSandbox, folder: Path) -> None:
    day = (MONTH - timedelta(days=1)).replace(day=1)
    fee = ("Standard Registry Unit", Decimal(1), Decimal("0.6"), "EUR")
    add_costs(own.sandbox.store, [CostRow(own.registry().id, day + timedelta(number), *fee) for number in range(80)])
    assert work() == 1
    assert files(folder) == NAMES
    csv, html = (folder / name for name in NAMES)
    text = csv.read_text("utf-8-sig")
    assert text.startswith(f'"Registry cost review, {MONTH:%B %Y}"')
    billed = money(days_in(MONTH) * Decimal("0.6"), "EUR")
    assert f"Billed,{billed}" in text
    # What the page's file has, and the trend.
    for heading in (
        "Registries",
        "Beside list prices",
        "What changed",
        "Next quarter, ",
        "Months by meter, EUR",
        "Sources",
    ):
        assert heading in text, heading
    assert "<title>Registry cost review" in html.read_text()
    found = state()
    assert found.month == MONTH and found.done and found.place == f"{NAMES[1]} and {NAMES[0]}"
    # The offer has no budgets.
    assert found.lacks == "Not all could be read: 1 subscription's budgets"
    before = len(own.sandbox.requests)
    assert work() == 0
    assert len(own.sandbox.requests) == before and not own.writes()


def test_two_workers_at_once_deliver_it_once(hook: Webhook) -> None:
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(work())) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(found) == [0, 0, 1] and len(hook.posts) == 1


def test_without_a_target_or_an_identity_none_is_made(own: OwnSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("ACR_CONSOLE_REPORT_FOLDER", "")
        patch.setattr(connection, "own_who", lambda: pytest.fail("signs in"))
        assert work() == 0
    connection.use_people(lambda _account: own.session(), lambda _account: None)
    try:
        assert work() == 0
    finally:
        connection.use(own.session())


def test_a_webhook_that_is_down_is_tried_again_and_then_has_it_once(
    hook: Webhook, caplog: pytest.LogCaptureFixture
) -> None:
    hook.status = 503
    work()
    found = state(Target.WEBHOOK)
    assert found.error.startswith("localhost: It answered 503.") and not found.done
    assert work() == 0
    set_row(again=datetime.now(UTC) - timedelta(seconds=1))
    hook.status = 200
    assert work() == 1 and work() == 0
    assert (state(Target.WEBHOOK).place, state(Target.WEBHOOK).error) == ("localhost", "")
    (_, first), (_, second) = hook.posts
    assert first["id"] == second["id"] and second["month"] == f"{MONTH:%Y-%m}"
    assert second["text"].startswith(f"Registry cost review, {MONTH:%B %Y}. Billed: ")
    assert second["html"].startswith("<!doctype html>") and [one["what"] for one in second["unread"]] == ["Budgets"]
    log = [entry.fields for entry in read_entries(database(), connection.own_who())]
    assert [(one["what"], one["month"]) for one in log] == [
        ("cost report failed", f"{MONTH:%Y-%m}"),
        ("delivered cost report", f"{MONTH:%Y-%m}"),
    ]
    assert SECRET not in f"{log} {caplog.text}"


def test_a_file_of_somebody_else_stays_and_nothing_is_read_for_it(own: OwnSandbox, folder: Path) -> None:
    (folder / NAMES[1]).write_text("theirs")
    before = len(own.sandbox.requests)
    work()
    assert "is there already, and is not this console's" in state().error
    assert (folder / NAMES[1]).read_text() == "theirs" and files(folder) == [NAMES[1]]
    assert not [one for one in list(own.sandbox.requests)[before:] if "/subscriptions" in one.path]


def test_a_full_disk_is_said_and_later_it_is_written(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_number: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("services.cost_reports.folder.os.fsync", full)
        work()
    assert "The disk is full." in state().error and files(folder) == []
    set_row(again=None)
    work()
    assert state().done and files(folder) == NAMES


def test_killed_anywhere_another_writes_it(folder: Path, own: OwnSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """At a request; after the first of its files; after all of them, before that is recorded."""

    def dies(*_args: object, **_more: object) -> None:
        raise Killed

    def once() -> None:
        with pytest.raises(Killed):
            work()
        end_leases()

    with killed_at(4, answered=True):
        once()
    with monkeypatch.context() as patch:
        patch.setattr("services.cost_reports.folder._flush", dies)
        once()
    assert files(folder) == [NAMES[1]]
    st.cache_resource.clear()
    connection.use(own.session())
    with monkeypatch.context() as patch:
        patch.setattr(worker, "end_report", dies)
        once()
    assert files(folder) == NAMES and not state().done
    set_row(attempt=2)
    assert work() == 1
    assert state().done and files(folder) == NAMES


def test_what_is_denied_is_said_in_the_report(own: OwnSandbox, folder: Path) -> None:
    own.break_({"path": "/query$", "status": 403}, {"path": "/usageDetails$", "status": 403})
    work()
    found = state()
    assert found.done and found.lacks.startswith("Not all could be read: 1 bill")
    text = (folder / NAMES[0]).read_text("utf-8-sig")
    assert "Could not be read" in text and "Partial: not all could be read." in text
    assert "Billed,–" in text


def test_what_is_throttled_is_waited_for_and_then_left_out(own: OwnSandbox, folder: Path) -> None:
    header = {"x-ms-ratelimit-microsoft.costmanagement-tenant-retry-after": "300"}
    own.break_({"path": "/query$", "status": 429, "headers": header})
    for _ in range(worker.MOST_FAILURES):
        work()
        assert state().error.startswith("Not all could be read: 1 bill") and files(folder) == []
        set_row(again=None)
    work()
    assert state().done and state().lacks.startswith("Not all could be read: 1 bill")
    assert "Could not be read" in (folder / NAMES[0]).read_text("utf-8-sig")


def test_a_process_that_ends_gives_it_up(monkeypatch: pytest.MonkeyPatch) -> None:
    ending = threading.Event()

    def ends(_session: object, _month: date, _today: date, stop: threading.Event) -> None:
        ending.set()
        assert stop.wait(10)
        raise ServiceError("Stopped", "It was stopped.", "", "Stopped")

    with monkeypatch.context() as patch:
        patch.setattr(worker, "make_report", ends)
        worker.deliver_due(ending)
    assert (state().error, state().running) == ("", False)
    assert work() == 1 and state().done


def test_who_has_lost_the_report_while_it_was_read_posts_nothing(
    hook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its lease ran out, and another process has it; or its own process ends."""
    made, ending = worker.make_report, threading.Event()

    def taken(*args: Any) -> MonthReport:
        found = made(*args)
        set_row(leases=2)
        return found

    def ends(session: AzureSession, month: date, today: date, stop: threading.Event) -> MonthReport:
        found = made(session, month, today, threading.Event())
        ending.set()
        assert stop.wait(10)
        return found

    with monkeypatch.context() as patch:
        patch.setattr(worker, "make_report", taken)
        assert work() == 1
    assert hook.posts == [] and state(Target.WEBHOOK).running
    end_leases()
    with monkeypatch.context() as patch:
        patch.setattr(worker, "make_report", ends)
        worker.deliver_due(ending)
    found = state(Target.WEBHOOK)
    assert (hook.posts, found.error, found.running) == ([], "", False)
    assert work() == 1 and len(hook.posts) == 1


def test_a_webhook_that_was_down_does_not_use_up_what_is_waited_for(own: OwnSandbox, hook: Webhook) -> None:
    hook.status = 503
    for _ in range(worker.MOST_FAILURES):
        work()
        set_row(again=None)
    hook.posts.clear()
    header = {"x-ms-ratelimit-microsoft.costmanagement-tenant-retry-after": "300"}
    own.break_({"path": "/query$", "status": 429, "headers": header})
    work()
    assert hook.posts == [] and state(Target.WEBHOOK).error.startswith("Not all could be read: 1 bill")
