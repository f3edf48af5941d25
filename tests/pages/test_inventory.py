import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from services.connection.session import AzureSession
from services.registries.reading import list_registries
from tests.support.app_test import Open, select_rows, texts
from tests.support.own_sandbox import OwnSandbox
from ui.runtime import background


def test_every_registry_of_every_subscription_is_a_row(open_view: Open, session: AzureSession) -> None:
    at = open_view()
    assert not at.exception
    names = [registry.name for registry in list_registries(session).values]
    assert list(at.dataframe[0].value["Name"]) == names
    assert "casaacr01" in names
    assert at.metric[0].value == f"≥ {len(names)}"  # One subscription refuses.


def figures(at: AppTest) -> dict[str, tuple[str, str]]:
    return {metric.label: (metric.value, metric.delta) for metric in at.metric}


def test_unread_usages_are_a_dash_or_a_lower_bound_with_what_was_not_looked_for(
    open_view: Open, own: OwnSandbox
) -> None:
    for number in range(3):
        own.make_registry(f"contosospare{number}")
    all_read = figures(open_view())
    assert all_read["Registries"] == ("4", "in 1 subscription")
    assert all_read["Stored"][1].startswith("of ")
    for registry, known in (("contosospare.", "≥ "), (".+", "–")):
        st.cache_resource.clear()
        own.break_({"path": f"/registries/{registry}/listUsages$", "status": 403})
        at = open_view()
        refused = 3 if known == "≥ " else 4
        found = figures(at)
        assert found["Stored"][0].startswith(known)
        assert f"{refused} of 4 usages unread" in found["Stored"][1]
        assert found["Findings"][0] == f"≥ {all_read['Findings'][0]}"
        assert any(f"{refused} registries' usage could not be read" in one.label for one in at.expander)
        unlooked = ["Included storage unknown" in titles for titles in at.dataframe[0].value["Findings"]]
        assert sum(unlooked) == refused


def test_lists_that_fail_are_not_no_registries(open_view: Open, own: OwnSandbox) -> None:
    own.break_({"path": "/providers/Microsoft.ContainerRegistry/registries$", "status": 403})
    at = open_view()
    assert "Registries unknown" in texts(at)
    assert "No registries found" not in texts(at)


def test_a_reading_that_lacks_a_part_is_read_again_soon(
    open_view: Open, own: OwnSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    own.break_({"path": "/casaacr01/listUsages$", "status": 429, "retry_after": 999})
    assert figures(open_view())["Stored"][0] == "–"
    own.break_()
    assert figures(open_view())["Stored"][0] == "–"
    monkeypatch.setattr(background, "FAILURE_KEPT_S", 0)
    assert figures(open_view())["Stored"][0] != "–"


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
