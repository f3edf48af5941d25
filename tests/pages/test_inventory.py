import pytest

from services.connection.session import AzureSession
from services.registries.reading import list_registries
from tests.support.app_test import Open, select_rows, texts


def test_every_registry_of_every_subscription_is_a_row(open_view: Open, session: AzureSession) -> None:
    at = open_view()
    assert not at.exception
    names = [registry.name for registry in list_registries(session).values]
    assert list(at.dataframe[0].value["Name"]) == names
    assert "casaacr01" in names
    assert at.metric[0].value == str(len(names))


def test_a_subscription_that_refuses_is_named_with_its_reason(open_view: Open) -> None:
    at = open_view()
    assert "contoso\\-restricted" in at.expander[0].label
    assert "AuthorizationFailed" in texts(at)


def test_the_search_of_the_url_filters(open_view: Open) -> None:
    at = open_view()
    at.text_input(key="search").set_value("CASAACR").run()
    assert list(at.dataframe[0].value["Name"]) == ["casaacr01"]


def test_a_search_without_a_match_says_so(open_view: Open) -> None:
    at = open_view()
    at.text_input(key="search").set_value("no such registry").run()
    assert not at.dataframe
    assert "No registry matches" in texts(at)


@pytest.mark.parametrize("title", ["Admin user on", "Anonymous pull"])
def test_a_finding_filters(open_view: Open, title: str) -> None:
    at = open_view()
    at.multiselect(key="finding").set_value([title]).run()
    shown = at.dataframe[0].value
    assert len(shown) >= 1
    assert all(title in found for found in shown["Findings"])


def test_selecting_a_row_opens_the_registry(open_view: Open) -> None:
    at = open_view()
    row = list(at.dataframe[0].value["Name"]).index("casaacr01")
    select_rows(at, 0, row)
    at.run()
    assert at.title[0].value == "casaacr01"
