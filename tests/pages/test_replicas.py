"""Replicas on their page: added with their cost beside, given up again, and said to be Premium's."""

import pytest
from streamlit.testing.v1 import AppTest

from services.child_resources.replications import list_replications
from tests.support.app_test import REFUSED, Open, button, confirm_button, reopen, texts, wait_for_job
from tests.support.own_sandbox import REGISTRY, OwnSandbox
from ui.elements import write_permission

HUB = "contosohub"

pytestmark = pytest.mark.usefixtures("own")


@pytest.fixture
def own(own: OwnSandbox) -> OwnSandbox:
    own.make_registry(HUB)
    return own


def regions(own: OwnSandbox) -> list[str]:
    return [one.region for one in list_replications(own.session(), own.registry(HUB)).values]


def ended(at: AppTest) -> AppTest:
    """Runs the page until the change that it shows is over."""
    wait_for_job(at, "Add replica", "Delete replica")
    return at.run()


def said(at: AppTest) -> str:
    return "".join(str(success.value) for success in at.success).replace("\\", "")


def test_only_premium_has_replicas(open_view: Open) -> None:
    at = open_view("replicas.py", registry=REGISTRY)
    assert not at.exception
    assert "Premium only" in texts(at)


def test_a_region_is_added_with_its_cost_beside_and_given_up_again(open_view: Open, own: OwnSandbox) -> None:
    at = open_view("replicas.py", registry=HUB)
    assert "No replicas" in texts(at)
    button(at, "Add replica").click().run()
    choice = next(box for box in at.selectbox if box.label == "Region")
    assert "eastus" not in choice.options
    reopen(at, "Add replica")
    choice.set_value("northeurope").run()
    reopen(at, "Add replica")
    at.run()
    assert "--location northeurope" in texts(at)
    assert "Azure bills a replica as a separate registry" in texts(at)
    assert regions(own) == []
    reopen(at, "Add replica")
    confirm_button(at, "Add replica").click().run()
    at = ended(at)
    assert not at.exception
    assert "in northeurope: created and verified" in said(at)
    assert at.dataframe[0].value["Region"].tolist() == ["eastus", "northeurope"]
    button(at, "Dismiss").click().run()
    assert said(at) == ""
    button(at, "Delete replica").click().run()
    assert "az acr replication delete --registry contosohub --name northeurope" in texts(at)
    reopen(at, "Delete replica")
    confirm_button(at, "Delete replica").click().run()
    at = ended(at)
    assert "in northeurope: deleted and verified" in said(at)
    assert regions(own) == []


def test_a_failure_is_shown_until_it_is_put_away(open_view: Open, own: OwnSandbox) -> None:
    at = open_view("replicas.py", registry=HUB)
    own.break_({"method": "PUT", "path": "/replications/", "status": 409})
    button(at, "Add replica").click().run()
    reopen(at, "Add replica")
    confirm_button(at, "Add replica").click().run()
    at = ended(at)
    assert "Could not add a replica of contosohub" in texts(at)
    button(at, "Dismiss").click().run()
    assert "Could not add" not in texts(at)


def test_a_console_that_listens_to_everyone_adds_none(open_view: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write_permission, "current", lambda: REFUSED)
    assert button(open_view("replicas.py", registry=HUB), "Add replica").disabled
