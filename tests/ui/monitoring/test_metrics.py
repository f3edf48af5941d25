"""Metrics are what Prometheus can read, on a port of their own, and what is not known is not in them."""

import threading
import urllib.request
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Engine

from services.connection.errors import ServiceError
from services.connection.session import AzureSession
from services.jobs.counts import count_by_state
from services.jobs.jobs import JobItem, begin
from services.jobs.running import RunningJob
from tests.support.console import console, free_port
from ui.monitoring import metrics
from ui.monitoring.metrics import metrics_at

Samples = dict[tuple[str, str], float]


def samples(port: int) -> Samples:
    """The values by name and label."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
        text = answer.read().decode()
    return {
        (one.name, next(iter(one.labels.values()), "")): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


def read(monkeypatch: pytest.MonkeyPatch, database: Engine | None) -> Samples:
    def opened() -> Engine:
        if database is None:
            raise ServiceError("The database is away", "It is.", "Wait.", "NoDatabase")
        return database

    monkeypatch.setattr(metrics, "database", opened)
    port = free_port()
    with metrics_at(port, "127.0.0.1"):
        return samples(port)


def test_jobs_are_counted_by_state(database: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def job(lease: timedelta) -> RunningJob:
        begun = begin(database, "me", "remove tags", "contoso", "app", [JobItem("v1", "")], {}, lease)
        return RunningJob(database, begun, lease, threading.Event())

    hour = timedelta(hours=1)
    running, ended, failed = job(hour), job(hour), job(hour)
    begin(database, "me", "remove tags", "contoso", "app", [], {}, -hour)
    ended.end()
    failed.end(error="x")
    expected = {"running": 1, "interrupted": 1, "failed": 1, "ended": 1}
    assert count_by_state(database) == expected
    found = read(monkeypatch, database)
    assert {state: found["acr_console_jobs", state] for state in expected} == expected
    assert found["acr_console_database_up", ""] == 1
    running.abandon()


def test_without_a_database_the_jobs_are_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    found = read(monkeypatch, None)
    assert found["acr_console_database_up", ""] == 0
    assert not [name for name, _ in found if name == "acr_console_jobs"]


def test_requests_to_azure_are_counted_by_status(
    session: AzureSession, database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def requests() -> float:
        return read(monkeypatch, database).get(("acr_console_azure_requests_total", "200"), 0)

    before = requests()
    assert list(session.subscriptions().subscriptions.list())
    assert requests() > before


def test_nothing_listens_where_no_port_is_set() -> None:
    before = threading.active_count()
    with metrics_at(None, "127.0.0.1"):
        assert threading.active_count() == before


def test_the_console_serves_them_on_their_own_port(tmp_path: Path) -> None:
    port = free_port()
    with console(tmp_path, ACR_CONSOLE_METRICS_PORT=str(port)) as address:
        found = samples(port)
        with urllib.request.urlopen(f"{address}/metrics", timeout=30) as answer:
            assert "acr_console" not in answer.read().decode()
    assert found["acr_console_sessions", ""] == 0
    assert found["process_resident_memory_bytes", ""] > 0
    assert found["acr_console_database_up", ""] == 1
    assert [name for name, _ in found if name == "acr_console_session_events_total"]
