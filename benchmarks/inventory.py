"""How many requests the list of 2,000 registries in 200 subscriptions costs, counted at the sandbox."""

from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from benchmarks.results import Row, at_most
from sandbox.server import Sandbox
from services.arm.subscriptions import list_subscriptions
from services.connection.session import connect_sandbox
from services.registries import reading

REGISTRIES = 2_000
NAME = f"Requests for the list of {REGISTRIES:,} registries in 200 subscriptions, cold, signing in not included"


def measure() -> list[Row]:
    with TemporaryDirectory() as folder, Sandbox.start(Path(folder), f"estate:{REGISTRIES}:1:1") as sandbox:
        by_graph, subscriptions = _requests(sandbox)
        with patch.object(reading, "GRAPH_FROM", subscriptions + 1):
            by_lists, _ = _requests(sandbox)
    return [
        at_most(f"{NAME}: by Azure Resource Graph", by_graph, 30),
        at_most(f"{NAME}: by lists, a subscription", by_lists / subscriptions, 2),
    ]


def _requests(sandbox: Sandbox) -> tuple[int, int]:
    """The requests of one list, and the number of subscriptions."""
    session = connect_sandbox(sandbox.ready)
    _ = session.identity
    sandbox.clear_requests()
    subscriptions = list_subscriptions(session).values
    found = reading.registries_of(session, subscriptions)
    assert found.complete and len(found.values) == REGISTRIES
    sent = [one for one in sandbox.requests if "/oauth2/" not in one.path and "/.well-known/" not in one.path]
    return len(sent), len(subscriptions)
