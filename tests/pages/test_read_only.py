"""Pages of a session that may change nothing: they read all that others read."""

from collections.abc import Iterator

import pytest

from sandbox.server import Sandbox
from services.connection.write_permission import only_reads
from tests.support.app_test import REFUSED
from tests.support.fault_walk import VIEWS, FaultWalk
from ui.elements import write_permission

CHOSEN = ("create", "costs", "access", "webhooks")


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FaultWalk, Sandbox]]:
    folder = tmp_path_factory.mktemp("walk")
    faults = folder / "faults.json"
    faults.write_text("[]")
    with Sandbox.start(folder / "sandbox", "estate", faults=faults) as sandbox:
        yield FaultWalk(sandbox, faults), sandbox


def reads_all(walk: FaultWalk, sandbox: Sandbox, view: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write_permission, "current", lambda: REFUSED)
    asked = len(sandbox.requests)
    shown = walk.render(view).statements
    assert shown
    assert not [one for one in shown if "The console is read-only" in one.value]
    own_sign_in = "/oauth2/v2.0/token"
    sent = [one for one in list(sandbox.requests)[asked:] if not one.path.endswith(own_sign_in)]
    assert sent or view == "deletions"
    assert not [one for one in sent if not only_reads(one.method, one.path)]


@pytest.mark.parametrize("view", CHOSEN)
def test_a_session_that_may_change_nothing_reads_everything(
    walk: tuple[FaultWalk, Sandbox], view: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads_all(*walk, view, monkeypatch)


@pytest.mark.long
@pytest.mark.parametrize("view", sorted(set(VIEWS) - set(CHOSEN)))
def test_so_it_does_on_every_other_page(
    walk: tuple[FaultWalk, Sandbox], view: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads_all(*walk, view, monkeypatch)
