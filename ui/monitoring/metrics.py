"""Metrics for Prometheus, on a port of their own: the process, sessions, jobs by state, Azure's answers by status.

Streamlit's own `/_stcore/metrics` is on the console's port, for whoever reaches it, and has nothing of jobs and Azure.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, ProcessCollector, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector
from streamlit.runtime import exists, get_instance
from streamlit.runtime.stats import CounterStat, GaugeStat

from services.connection.errors import ServiceError
from services.connection.transport import answers_by_status
from services.connection.version import VERSION
from services.jobs.counts import count_by_state
from ui.runtime.database import database


class ConsoleMetrics(Collector):
    """What is read each time that the metrics are asked for. What could not be read is left out, never 0."""

    def collect(self) -> Iterator[Metric]:
        yield InfoMetricFamily("acr_console", "This console", {"version": VERSION})
        yield from _sessions()
        yield from _jobs()
        answers = CounterMetricFamily(
            "acr_console_azure_requests",
            "Requests to Azure by the status of the answer, none where none came",
            labels=["status"],
        )
        for status, number in answers_by_status().items():
            answers.add_metric([status], number)
        yield answers


def _sessions() -> Iterator[Metric]:
    if not exists():
        return
    found = get_instance().stats_mgr.get_stats(["active_sessions", "session_events"])
    for stat in found.get("active_sessions", ()):
        if isinstance(stat, GaugeStat):
            yield GaugeMetricFamily("acr_console_sessions", "Browser tabs that are connected", stat.value)
    events = CounterMetricFamily("acr_console_session_events", "Sessions by what became of them", labels=["type"])
    for stat in found.get("session_events", ()):
        if isinstance(stat, CounterStat) and stat.labels:
            events.add_metric([stat.labels["type"]], stat.value)
    yield events


def _jobs() -> Iterator[Metric]:
    try:
        found = count_by_state(database())
    except ServiceError:
        yield GaugeMetricFamily("acr_console_database_up", "Whether the database answered", 0)
        return
    yield GaugeMetricFamily("acr_console_database_up", "Whether the database answered", 1)
    jobs = GaugeMetricFamily("acr_console_jobs", "Jobs in the database by state, of all processes", labels=["state"])
    for state, number in found.items():
        jobs.add_metric([state], number)
    yield jobs


@contextmanager
def metrics_at(port: int | None, address: str) -> Iterator[None]:
    """Serves the metrics on that port; nothing where there is none. Raises OSError where the port is taken."""
    if port is None:
        yield
        return
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(ConsoleMetrics())
    server, thread = start_http_server(port, address, registry)
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
