"""The pull matrix of the estate."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from sandbox.seeds.company import BATCH
from sandbox.server import Sandbox
from services.aks.clusters import list_clusters
from services.arm.subscriptions import list_subscriptions
from services.connection.session import AzureSession, connect_sandbox
from services.registries.reading import list_registries
from tests.support.app_test import Open, button, confirm_button, keyed, reopen, select_rows, texts, wait_for_job
from tests.support.own_sandbox import OwnSandbox
from ui.loaders import clusters
from ui.runtime import connection


@pytest.fixture
def matrix(open_view: Open, session: AzureSession):  # type: ignore[no-untyped-def]
    def opened(as_session: AzureSession | None = None, **query: str) -> AppTest:
        connection.use(as_session or session)
        assert clusters.pulls(connection.who()).finished.wait(30)
        at = open_view("pull_matrix.py", as_session=as_session, **query)
        assert not at.exception
        return at

    return opened


def numbers(at: AppTest) -> list[int]:
    """How many pairs each answer says that it has."""
    return [int(option.rstrip("]").rsplit(" ", 1)[1]) for option in keyed(at.button_group, "answer").options]


def test_every_pair_has_a_square_a_row_and_a_reason(matrix: Any, session: AzureSession) -> None:
    at = matrix()
    names = (
        [one.name for one in list_clusters(session, list_subscriptions(session).values).values],
        [one.name for one in list_registries(session).values],
    )
    rows = at.dataframe[0].value
    assert len(rows) == len(names[0]) * len(names[1]) == sum(numbers(at))
    assert all(rows["Reason"])
    (chart,) = (json.loads(found.proto.spec) for found in at.get("plotly_chart"))
    squares, points, *signs = chart["data"]
    assert len(points["hovertext"]) == len(rows) == sum(len(of_answer["text"]) for of_answer in signs)
    assert [len(squares["z"]), len(squares["z"][0])] == [len(names[0]), len(names[1])]
    assert chart["layout"]["yaxis"]["ticktext"] == sorted(names[0])
    by_pair = rows.set_index(["Cluster", "Registry"])
    assert by_pair.loc[("aks1", "casaacr01"), "Answer"] == "– no role"
    assert by_pair.loc[("aks-payments", "contosohub"), "Answer"] == "✗ can't pull"
    wrong = [answer for answer in rows["Answer"] if answer not in ("✓ can pull", "◐ some repositories", "– no role")]
    assert wrong == list(rows["Answer"])[: len(wrong)]
    assert by_pair.loc[("aks-platform", "contosohub"), "Answer"] == "✓ can pull"


def test_what_could_not_be_read_is_said(matrix: Any) -> None:
    labels = [one.label.replace("\\", "") for one in matrix().expander]
    assert any("1 subscription (contoso-restricted)" in label for label in labels)


def test_what_groups_and_service_principals_have_is_known_and_named(matrix: Any) -> None:
    rows = matrix().dataframe[0].value.set_index(["Cluster", "Registry"])
    assert not any("unknown" in answer for answer in rows["Answer"])
    assert rows.loc[("aks-dev", "contosodev"), "Reason"].endswith("held by the group dev-cluster-nodes.")
    assert rows.loc[("aks-batch", "contosohub"), "Answer"] == "✓ can pull"
    assert rows.loc[("aks-batch", "contosohub"), "Pulls as"] == "contoso-batch"
    assert rows.loc[("aks-batch", "contosohub"), "Object id"] == BATCH
    assert rows.loc[("aks-secure", "contososecure"), "Answer"] == "✓ can pull"


def test_where_the_directory_refuses_service_principals_their_client_id_is_shown(matrix: Any, tmp_path: Path) -> None:
    faults = tmp_path / "faults.json"
    faults.write_text('[{"path": "/servicePrincipals", "status": 403}]')
    with Sandbox.start(tmp_path / "sandbox", "estate", faults=faults) as sandbox:
        estate = connect_sandbox(sandbox.ready)
        known = list_clusters(estate, list_subscriptions(estate).values).values
        (batch,) = (one for one in known if one.name == "aks-batch")
        rows = matrix(estate).dataframe[0].value.set_index(["Cluster", "Registry"])
    assert rows.loc[("aks-batch", "contosohub"), "Answer"] == "? unknown"
    assert rows.loc[("aks-batch", "contosohub"), "Pulls as"] == batch.puller.client_id
    assert rows.loc[("aks-batch", "contosobase"), "Pulls as"] == "anonymous"


def test_where_the_directory_refuses_groups_the_reason_is_shown(matrix: Any, tmp_path: Path) -> None:
    faults = tmp_path / "faults.json"
    faults.write_text('[{"path": "/getMemberGroups$", "status": 403}]')
    with Sandbox.start(tmp_path / "sandbox", "estate", faults=faults) as sandbox:
        at = matrix(connect_sandbox(sandbox.ready))
        rows = at.dataframe[0].value.set_index(["Cluster", "Registry"])
        assert rows.loc[("aks-dev", "contosodev"), "Answer"] == "? unknown"
        assert "Could not read the groups of" in rows.loc[("aks-dev", "contosodev"), "Reason"]
        assert rows.loc[("aks-platform", "contosohub"), "Answer"] == "✓ can pull"
        labels = [one.label for one in at.expander]
        assert any("6 identities' groups" in label for label in labels)
        counts = dict(
            option.removeprefix(":violet[:gray-badge[?] ").rstrip("]").rsplit(" · ", 1)
            for option in keyed(at.button_group, "answer").options
        )
        unknown = sum(answer == "? unknown" for answer in rows["Answer"])
        assert counts["Unknown: group members not read"] == str(unknown)
        # A link to all that is unknown goes on working.
        linked = matrix(connect_sandbox(sandbox.ready), answer="unknown")
        assert len(linked.dataframe[0].value) == unknown


def test_filters_leave_what_was_asked_for(matrix: Any) -> None:
    at = matrix()
    at.text_input(key="search").set_value("Casa").run()
    assert set(at.dataframe[0].value["Registry"]) == {"casaacr01"}
    keyed(at.button_group, "answer").set_value(["no role"]).run()
    assert set(at.dataframe[0].value["Answer"]) == {"– no role"}
    at.text_input(key="search").set_value("nothing of that name").run()
    assert "No pair matches" in texts(at)


def test_pairs_are_attached_at_once_with_a_result_each(matrix: Any, own: OwnSandbox) -> None:
    own.make_registry("contosohub")
    at = matrix(as_session=own.session())
    assert set(at.dataframe[0].value["Answer"]) == {"– no role"}
    select_rows(at, 0, 0, 1)
    at.run()
    button(at, "Attach 2 pairs").click()
    at.run()
    assert set(at.dataframe[1].value["Plan"]) == {"attach"}
    reopen(at, "Attach 2 pairs")
    confirm_button(at, "Attach 2 pairs").click()
    at.run()
    wait_for_job(at, "Assign roles")
    at.run()
    assert not at.exception
    assert set(at.dataframe[0].value["Result"]) == {"Created and verified"}
    assert clusters.pulls(connection.who()).finished.wait(30)
    at = matrix(as_session=own.session())
    results, pairs = at.dataframe[:2]  # Another tab shows the results too.
    assert set(results.value["Result"]) == {"Created and verified"}
    assert set(pairs.value["Answer"]) == {"✓ can pull"}


def test_one_pair_leads_to_the_checker(matrix: Any) -> None:
    at = matrix()
    select_rows(at, 0, 0)
    at.run()
    assert "Check this pair" in [link.proto.label for link in at.main.get("page_link")]


def test_a_square_leads_to_the_checker(matrix: Any) -> None:
    at = matrix()
    (chart,) = (json.loads(found.proto.spec) for found in at.get("plotly_chart"))
    text = chart["data"][1]["hovertext"]
    number = next(at for at, one in enumerate(text) if one.startswith("aks1 ← casaacr01"))
    at.session_state["squares"] = {"selection": {"points": [], "point_indices": [number], "box": [], "lasso": []}}
    at.run()
    assert "**aks1** from **casaacr01**: – no role" in texts(at)
    assert "Check this pair" in [link.proto.label for link in at.main.get("page_link")]


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[AzureSession]:
    with Sandbox.start(tmp_path / "empty", "empty") as sandbox:
        yield connect_sandbox(sandbox.ready)


def test_a_console_without_clusters_says_so(matrix: Any, empty: AzureSession) -> None:
    assert "No registries found" in texts(matrix(as_session=empty))
