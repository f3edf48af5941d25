import re
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from services.connection.session import AzureSession
from services.registries.findings import Risk, findings_of
from services.registries.reading import list_registries
from tests.support.app_test import Open, select_rows, texts
from tests.support.own_sandbox import OwnSandbox
from ui.loaders import registries as registry_loaders
from ui.loaders import registry_costs
from ui.loaders.registry_costs import RegistryCosts, costs_of
from ui.navigation.inventory_filters import HIGH
from ui.runtime import background, connection
from ui.runtime.background import Reading


def test_every_registry_of_every_subscription_is_a_row(open_view: Open, session: AzureSession) -> None:
    at = open_view()
    assert not at.exception
    names = [registry.name for registry in list_registries(session).values]
    assert sorted(at.dataframe[0].value["Name"]) == sorted(names)
    assert "casaacr01" in names
    assert figures(at)["registries"] == (f"≥ {len(names)}", "At least, 1 subscription unread.")


def figures(at: AppTest) -> dict[str, tuple[str, str]]:
    """The figures of the line above the table, each with what its help says of it."""
    (line,) = (one for one in at.markdown if " stored" in one.value)
    notes: dict[str, str] = {}
    for note in (line.help or "").split("  \n"):
        name, _, text = note.partition(": ")
        notes[name] = f"{notes.get(name, '')} {text}".strip()
    found = (re.fullmatch(r"\*\*(.+)\*\* (at high risk|\w+)(.*)", part) for part in line.value.split(" · "))
    return {
        one[2]: (one[1], notes.get(one[2].capitalize(), one[3].strip()).capitalize())
        for one in found
        if one is not None
    }


def wait_for_costs(session: AzureSession) -> None:
    connection.use(session)
    who = connection.who()
    inventory = registry_loaders.inventory(who)
    assert inventory.finished.wait(30)
    assert costs_of(who, inventory.at).finished.wait(60)


def test_the_risk_comes_first_then_the_cost(open_view: Open, session: AzureSession) -> None:
    wait_for_costs(session)
    rows = open_view().dataframe[0].value
    signs = ["".join(cell)[:1] for cell in rows["Needs attention"]]
    ranks = [{"▲": 0, "●": 1, "": 3}.get(sign, 2) for sign in signs]
    assert ranks == sorted(ranks)
    assert {0, 1, 3} <= set(ranks)
    (column,) = (name for name in rows if name.startswith("Cost a month"))
    high = [cost for cost, rank in zip(rows[column], ranks, strict=True) if rank == 0 and cost == cost]
    assert high == sorted(high, reverse=True)
    assert set(rows["Cost from"].dropna()) == {"Bill", "Estimate, no bill"}
    billed = rows["Cost from"] == "Bill"
    assert billed.any() and not billed.all()
    assert rows["Change"][billed].notna().any()
    assert rows["Change"][~billed].isna().all()


def test_costs_that_arrive_move_no_row_until_the_page_is_opened_again(
    open_view: Open, own: OwnSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    own.make_registry("contosocheap", "Basic")
    own.make_registry("contosodear", "Standard")
    wait_for_costs(own.session())
    none = Reading(RegistryCosts())
    none.end(None)
    with monkeypatch.context() as early:
        early.setattr(registry_costs, "costs_of", lambda *_: none)
        at = open_view()
    names = list(at.dataframe[0].value["Name"])
    assert cost_of(at).isna().all()
    at.run()
    assert cost_of(at).notna().all()
    assert list(at.dataframe[0].value["Name"]) == names
    assert list(open_view().dataframe[0].value["Name"]) != names


def cost_of(at: AppTest) -> Any:
    """The column of costs."""
    rows = at.dataframe[0].value
    (column,) = (name for name in rows if name.startswith("Cost a month"))
    return rows[column]


def test_what_nearly_all_have_is_counted_once_and_is_nobodys_worst(open_view: Open) -> None:
    at = open_view()
    shown = {text for cell in at.dataframe[0].value["Needs attention"] for text in cell}
    assert not {"Legacy permissions", "ARM tokens accepted"} & shown
    labels = at.pills[0].options
    assert labels[0].startswith(":violet[:red[▲] High risk **")
    assert {label.removeprefix(":violet[").partition(" **")[0] for label in labels[-2:]} == {
        "Legacy permissions",
        "ARM tokens accepted",
    }


def test_a_cost_that_could_not_be_read_is_an_estimate_and_said(open_view: Open, own: OwnSandbox) -> None:
    own.break_({"path": "Microsoft.CostManagement", "status": 429, "retry_after": 999})
    wait_for_costs(own.session())
    at = open_view()
    assert "Estimate, not all bills read" in set(at.dataframe[0].value["Cost from"])
    assert any("1 bill" in one.label for one in at.expander)


def test_unread_usages_are_a_dash_or_a_lower_bound_with_what_was_not_looked_for(
    open_view: Open, own: OwnSandbox
) -> None:
    for number in range(3):
        own.make_registry(f"contosospare{number}")
    all_read = figures(open_view())
    assert all_read["registries"] == ("4", "In 1 subscription")
    assert not all_read["stored"][0].startswith(("≥", "–"))
    for registry, known in (("contosospare.", "≥ "), (".+", "–")):
        st.cache_resource.clear()
        own.break_({"path": f"/registries/{registry}/listUsages$", "status": 403})
        at = open_view()
        refused = 3 if known == "≥ " else 4
        found = figures(at)
        assert found["stored"][0].startswith(known)
        assert f"{refused} of 4 usages unread" in found["stored"][1] or known == "–"
        assert found["at high risk"][0] == f"≥ {all_read['at high risk'][0]}"
        assert any(f"{refused} registries' usage could not be read" in one.label for one in at.expander)
        unlooked = ["Included storage unknown" in titles for titles in at.dataframe[0].value["Needs attention"]]
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
    assert figures(open_view())["stored"][0] == "–"
    own.break_()
    assert figures(open_view())["stored"][0] == "–"
    monkeypatch.setattr(background, "FAILURE_KEPT_S", 0)
    assert figures(open_view())["stored"][0] != "–"


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


@pytest.mark.parametrize("title", ["Admin user on", "Anonymous pull", "Legacy permissions", HIGH])
def test_a_finding_filters(open_view: Open, session: AzureSession, title: str) -> None:
    at = open_view("inventory.py", session, finding=title)
    shown = set(at.dataframe[0].value["Name"])
    assert shown == {
        registry.name
        for registry in list_registries(session).values
        if any(title in (one.title, HIGH if one.risk is Risk.HIGH else "") for one in findings_of(registry))
    }
    assert len(shown) > 0


def test_a_pill_is_kept_in_the_address(open_view: Open) -> None:
    at = open_view()
    at.pills[0].set_value(["Admin user on"]).run()
    assert at.query_params["finding"] == "Admin user on"
    assert "2 registries of 12 shown" in texts(at)


def test_selecting_a_row_opens_the_registry(open_view: Open, session: AzureSession) -> None:
    wait_for_costs(session)
    at = open_view()
    row = list(at.dataframe[0].value["Name"]).index("casaacr01")
    select_rows(at, 0, row)
    at.run()
    assert at.title[0].value == "casaacr01"
