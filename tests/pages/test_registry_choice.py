"""The one control that chooses a registry: the same on every page that has it."""

from datetime import UTC, datetime

import pytest
from streamlit.testing.v1 import AppTest

from services.connection.session import AzureSession
from services.costs.review import days_in, recent_months
from tests.support.app_test import Open, button, texts
from tests.support.own_sandbox import OwnSandbox
from ui.loaders import bills, clusters
from ui.navigation.selection import BOX
from ui.runtime import connection

PAGES = (
    "repositories.py",
    "push.py",
    "storage.py",
    "assign.py",
    "roles.py",
    "sku_comparison.py",
    "cost_review.py",
    "integration_checker.py",
    "access_review.py",
)
# These name the registry in the URL alone.
OF_URL = ("registry.py", "settings.py", "tokens.py")


@pytest.fixture
def opened(open_view: Open, session: AzureSession):  # type: ignore[no-untyped-def]
    def loaded(script: str, **query: str) -> AppTest:
        connection.use(session)
        assert clusters.pulls(connection.who()).finished.wait(30)
        at = open_view(script, **query)
        if script == "cost_review.py":
            connection.use(session)
            today = datetime.now(UTC).date()
            last_day = today.replace(day=days_in(today))
            assert bills.bills(connection.who(), recent_months(today)[-1], last_day).finished.wait(30)
            at.run()
        assert not at.exception
        return at

    return loaded


@pytest.mark.parametrize("script", PAGES)
def test_the_box_shows_what_the_url_names_whatever_its_case(opened: Open, script: str) -> None:
    at = opened(script, registry="CONTOSOHUB")
    assert at.selectbox(key=BOX).value == "contosohub"
    assert at.query_params["registry"] in ("CONTOSOHUB", ["CONTOSOHUB"])


@pytest.mark.parametrize("script", PAGES)
def test_a_choice_is_in_the_url(opened: Open, script: str) -> None:
    at = opened(script)
    assert at.selectbox(key=BOX).value is None
    at.selectbox(key=BOX).set_value("contosodev").run()
    assert not at.exception
    assert at.query_params["registry"] in ("contosodev", ["contosodev"])
    at.selectbox(key=BOX).set_value(None).run()
    assert "registry" not in at.query_params


@pytest.mark.parametrize("script", [*PAGES, *OF_URL])
def test_a_registry_that_is_not_found_is_unknown_while_a_subscription_refuses(opened: Open, script: str) -> None:
    shown = texts(opened(script, registry="nowhere")).replace("\\", "")
    assert "Unknown whether there is a registry nowhere" in shown
    assert "1 subscription could not be read: contoso-restricted." in shown
    assert "There is no registry" not in shown


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize("script", ["repositories.py", "push.py", "roles.py", "sku_comparison.py", *OF_URL])
def test_a_registry_that_is_not_there_is_said(open_view: Open, script: str) -> None:
    assert "There is no registry nowhere here" in texts(open_view(script, registry="nowhere"))


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize("script", ["storage.py", "registry.py"])
def test_the_nearest_registry_is_offered(open_view: Open, script: str) -> None:
    at = open_view(script, registry="casaacr1")
    button(at, "Open casaacr01").click().run()
    assert not at.exception
    assert at.query_params["registry"] in ("casaacr01", ["casaacr01"])
    assert "There is no registry" not in texts(at)


@pytest.mark.parametrize("script", ["registry.py", "storage.py", "push.py", "sku_comparison.py"])
def test_no_list_at_all_is_not_no_registry(own: OwnSandbox, open_view: Open, script: str) -> None:
    own.break_({"path": "/providers/Microsoft.ContainerRegistry/registries$", "status": 403})
    shown = texts(open_view(script, registry="casaacr01"))
    assert "Unknown whether there is a registry casaacr01" in shown
    assert "There is no registry" not in shown
    assert "No registries found" not in shown


def test_another_registry_forgets_what_the_url_names_in_the_one_before(opened: Open) -> None:
    at = opened("storage.py", registry="contosohub", repository="api/orders")
    at.selectbox(key=BOX).set_value("contosodev").run()
    assert "repository" not in at.query_params
