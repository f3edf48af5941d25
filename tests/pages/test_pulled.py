"""Last pulls and events of a registry on the pages of tags, of an image and of Activity."""

from pathlib import Path

import pytest

from sandbox.server import Sandbox
from sandbox.storage.store import Tag
from services.connection.session import AzureSession, connect_sandbox
from services.pulls.queries import OWN_AGENT
from tests.support.app_test import Open, button, confirm_button, refresh_button, reopen, texts
from tests.support.own_sandbox import REGISTRY, OwnSandbox

NODE = {"registry": REGISTRY, "repository": "nodejstemplate"}
IMAGE = {**NODE, "reference": "v1.0.0"}


def logged(own: OwnSandbox) -> Tag:
    own.send_logs(own.make_workspace())
    own.log("Push", 40, "elsewhere")
    own.log("Push", 0.1, "elsewhere")
    found = own.sandbox.store.get_tag(REGISTRY, "nodejstemplate", "v1.0.0")
    assert found
    return found


def said(at: object) -> str:
    return texts(at).replace("\\", "")  # type: ignore[arg-type]


def test_a_tag_that_was_not_pulled_says_since_when(open_view: Open, own: OwnSandbox) -> None:
    logged(own)
    at = open_view("repository.py", **NODE)
    assert not at.exception
    row = at.dataframe[0].value.iloc[0]
    assert row["Last pull"] < 0
    assert row["Pulls, 30 days"] == 0
    assert "Last pull unknown" not in said(at)


def test_a_tag_s_pulls_are_counted(open_view: Open, own: OwnSandbox) -> None:
    tag = logged(own)
    for days in (1, 2, 35):
        own.log("Pull", days, "nodejstemplate", tag.digest, "v1.0.0")
    for view in ({}, {"show": "Manifests"}):
        at = open_view("repository.py", **NODE, **view)
        assert not at.exception
        row = at.dataframe[0].value.iloc[0]
        assert row["Last pull"] > 0
        assert row.get("Pulls, 30 days", 2) == 2


def test_without_logs_last_pulls_are_unknown_and_can_be_turned_on(open_view: Open, own: OwnSandbox) -> None:
    own.make_workspace()
    at = open_view("repository.py", **NODE)
    assert "Last pull" not in at.dataframe[0].value.columns
    assert "Last pull unknown. What happens in this registry is not logged." in said(at)
    button(at, "Turn on logging").click().run()
    assert "az monitor diagnostic-settings create" in "\n".join(one.value for one in at.code)
    reopen(at, "Turn on logging")
    confirm_button(at, "Turn on logging").click().run()
    assert not at.exception
    assert "Logging of casaacr01: created and verified." in "".join(one.value for one in at.success)
    settings = own.sandbox.store.list_resources("Microsoft.Insights/diagnosticSettings")
    assert [one["name"] for one in settings] == ["acr-events"]


def test_logs_that_are_refused_are_said_once(open_view: Open, own: OwnSandbox) -> None:
    logged(own)
    own.break_({"method": "POST", "path": "/query$", "status": 403})
    at = open_view("repository.py", **NODE)
    assert not at.exception
    assert "Last pull" not in at.dataframe[0].value.columns
    assert any("1 log of pulls (casaacr01) could not be read" in one.label for one in at.expander)
    assert "Last pull unknown. The logs could not be read." in said(at)


def test_an_image_says_by_whom_it_was_pulled_and_pushed(open_view: Open, own: OwnSandbox) -> None:
    tag = logged(own)
    own.log("Push", 30, "nodejstemplate", tag.digest, "v1.0.0")
    own.log("Pull", 3, "nodejstemplate", tag.digest, "v1.0.0")
    at = open_view("image.py", **IMAGE, show="Events")
    assert not at.exception
    assert "1 pull in 30 days, last by nodes" in said(at)
    events = next(one.value for one in at.dataframe if "Operation" in one.value.columns)
    assert events[["Operation", "Tag", "Who", "From", "Client"]].values.tolist() == [
        ["Push", "v1.0.0", "nodes", "203.0.113.9", "containerd"]
    ]


def test_an_image_that_was_not_pulled_says_since_when(open_view: Open, own: OwnSandbox) -> None:
    logged(own)
    at = open_view("image.py", **IMAGE, show="Events")
    assert "when logging began" in said(at)
    assert "have no push, untag or deletion of this image." in said(at)


def test_the_registry_s_events_name_who_did_them(open_view: Open, tmp_path: Path) -> None:
    # In the sandbox that tests share, what they read are pulls too, more in the end than a list of events has.
    with Sandbox.start(tmp_path / "sandbox", "estate") as sandbox:
        _events_name_who_did_them(open_view, connect_sandbox(sandbox.ready))


def _events_name_who_did_them(open_view: Open, session: AzureSession) -> None:
    query = {"registry": "contosohub", "show": "Registry events", "period": "90 days"}
    at = open_view("deletions.py", session, **query)
    assert not at.exception
    events = next(one.value for one in at.dataframe if "Operation" in one.value.columns)
    removed = events[events["Operation"].isin(["Delete", "Untag"])]
    assert list(removed["Who"]) == ["Platform administrator"] * 2
    assert "aks-platform-agentpool" in set(events["Who"])
    next(box for box in at.selectbox if box.label == "Operation").select("All but pulls").run()
    fewer = next(one.value for one in at.dataframe if "Operation" in one.value.columns)
    assert 0 < len(fewer) < len(events)
    assert "Pull" not in set(fewer["Operation"])
    next(box for box in at.text_input if box.label == "Filter").set_value("storefront").run()
    found = next(one.value for one in at.dataframe if "Operation" in one.value.columns)
    assert set(found["Repository"]) == {"web/storefront", "charts/storefront"}


def test_events_are_unknown_where_nothing_is_logged_or_the_workspace_is_closed(open_view: Open) -> None:
    at = open_view("deletions.py", registry="contosodev", show="Registry events")
    assert "Events unknown. What happens in this registry is not logged." in said(at)
    at = open_view("deletions.py", registry="contosopayments", show="Registry events")
    assert "Could not read the logs of contosopayments" in said(at)
    assert "No events" not in said(at)


def test_refresh_reads_the_events_again(open_view: Open, own: OwnSandbox) -> None:
    tag = logged(own)
    at = open_view("deletions.py", registry=REGISTRY, show="Registry events")
    assert "**1 event**" in said(at)
    own.log("Pull", 0.01, "nodejstemplate", tag.digest, "v1.0.0")
    refresh_button(at).click().run()
    assert "**2 events**" in said(at)


@pytest.mark.parametrize("older", [True, False])
def test_what_the_console_itself_pulled_is_not_all_that_happened_where_older_events_are_not_read(
    open_view: Open, own: OwnSandbox, monkeypatch: pytest.MonkeyPatch, older: bool
) -> None:
    own.send_logs(own.make_workspace())
    if older:
        own.log("Push", 2, "nodejstemplate")
    for days in (1, 0.5):
        own.log("Pull", days, "nodejstemplate", agent=f"{OWN_AGENT}1")
    monkeypatch.setattr("services.pulls.events.MOST_EVENTS", 2)
    at = open_view("deletions.py", registry=REGISTRY, show="Registry events")
    assert not at.exception
    assert ("Events unknown" in said(at)) is older
    assert ("No events" in said(at)) is not older
    assert ("The newest 10,000 were read" in said(at)) is older


def test_a_filter_that_nothing_matches_says_that_older_events_are_not_read(
    open_view: Open, own: OwnSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged(own)
    own.log("Pull", 0.01, "nodejstemplate")
    monkeypatch.setattr("services.pulls.events.MOST_EVENTS", 1)
    at = open_view("deletions.py", registry=REGISTRY, show="Registry events")
    next(box for box in at.text_input if box.label == "Filter").set_value("elsewhere").run()
    assert "Nothing matches" in said(at)
    assert "The newest 10,000 were read" in said(at)


def test_a_registry_says_how_often_it_is_pulled_or_that_this_is_unknown(open_view: Open, own: OwnSandbox) -> None:
    tag = logged(own)
    own.log("Pull", 2, "nodejstemplate", tag.digest, "v1.0.0")
    at = open_view("registry.py", registry=REGISTRY)
    assert "Pulls, 30 days" in said(at)
    assert "1 push" in said(at)
    own.break_({"method": "POST", "path": "getBatch", "status": 403})
    refresh_button(at).click().run()
    assert not at.exception
    assert any("1 metric (casaacr01) could not be read" in one.label for one in at.expander)
