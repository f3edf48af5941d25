"""The SKU comparison: what is recommended, at which prices, and a change from the view."""

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from sandbox.server import Sandbox
from services.connection.session import AzureSession, connect_sandbox
from services.registries.reading import list_registries
from tests.support.app_test import Open, button, figures, keyed, reopen, texts, wait_for_job
from tests.support.own_sandbox import OwnSandbox
from ui.elements import writing
from ui.runtime import connection

PAGES_WITH_SAVING = ("overview.py", "cost_review.py", "sku_comparison.py")


def recommended(at: AppTest) -> str:
    assert not at.exception
    return "".join(str(one.value) for one in at.success)


def said(at: AppTest) -> str:
    return texts(at).replace("\\", "")


def table(at: AppTest, column: str) -> Any:
    return next(one.value for one in at.dataframe if column in one.value.columns)


def test_typed_figures_end_in_a_recommendation_with_reasons(open_view: Open) -> None:
    at = open_view("sku_comparison.py", currency="USD")
    assert "**Basic**, USD 5.00 a month of 30 days." in recommended(at)
    assert "private endpoints (each by the hour, and their traffic)" in texts(at)
    at.number_input(key="stored").set_value(500.0).run()
    assert "**Premium**, USD 50.00" in recommended(at)
    assert "Premium: 500 GiB cost less than with Basic or Standard" in said(at)
    at.number_input(key="stored").set_value(0.0).run()
    at.toggle(key="anonymous").set_value(True).run()
    assert "**Standard**, USD 20.00" in recommended(at)
    assert "Basic would cost USD 5.00, but: Basic has no anonymous pull." in texts(at).replace("\\", "")


def test_a_registry_of_the_url_answers_with_what_it_uses(open_view: Open) -> None:
    at = open_view("sku_comparison.py", registry="contosohub")
    assert "**Premium**" in recommended(at)
    assert at.number_input(key="replicas").value == 3
    assert at.number_input(key="webhooks").value == 2
    assert "Premium: uses 3 replicas" in said(at)
    assert "Standard would cost EUR 18.00, but: Standard has no geo-replication: 3 replicas." in said(at)


def test_another_start_answers_anew(open_view: Open) -> None:
    at = open_view("sku_comparison.py", registry="contosohub")
    keyed(at.selectbox, "registry").set_value("contosobase").run()
    assert at.number_input(key="replicas").value == 0
    assert at.toggle(key="anonymous").value
    assert "**Standard**" in recommended(at)


def test_days_currency_and_discount_count(open_view: Open) -> None:
    assert "USD 5.16 a month of 31 days" in recommended(open_view("sku_comparison.py", days="31", currency="USD"))
    # The currency of the bills, unless another one is chosen.
    assert "EUR 4.50" in recommended(open_view("sku_comparison.py"))
    assert "USD 2.50" in recommended(open_view("sku_comparison.py", discount="50.00", currency="USD"))
    assert "less 50 %" in texts(open_view("sku_comparison.py", discount="50.00"))


def test_every_registry_has_the_sku_that_it_should_be(open_view: Open, session: AzureSession) -> None:
    reviews = table(open_view("sku_comparison.py", currency="USD"), "Recommended").set_index("Registry")
    assert set(reviews.index) == {one.name for one in list_registries(session).values}
    assert reviews.loc["contosopayments", ["Recommended", "Saving, USD"]].to_list() == [
        "Premium → Basic",
        Decimal("45.00"),
    ]
    assert reviews.loc["contosobuild", ["Recommended", "Saving, USD"]].to_list() == ["Basic → Premium", Decimal("4.00")]
    assert reviews.loc["contosohub", ["Recommended", "Why"]].to_list() == ["Keep Premium", "Premium: uses 3 replicas"]
    assert reviews.loc["contosoci", "Why"] == "Premium: uses a retention policy"
    assert re.fullmatch(
        r"Basic is enough: uses \d+ MiB of 10 GiB, and no feature of a larger SKU",
        reviews.loc["contosopayments", "Why"],
    )
    assert "retired" in reviews.loc["contosoarchive", "Why"]
    assert list(reviews["Saving, USD"].dropna()) == sorted(reviews["Saving, USD"].dropna(), reverse=True)


def test_charts_have_their_numbers_as_tables(open_view: Open) -> None:
    at = open_view("sku_comparison.py", currency="USD")
    assert list(table(at, "Fixed fee, USD")["Fixed fee, USD"]) == [Decimal("5.00"), Decimal("20.00"), Decimal("50.00")]
    sizes = open_view("sku_comparison.py", show="Cost by size", currency="USD")
    lines = table(sizes, "GiB stored").set_index("GiB stored")
    assert list(lines.loc[Decimal("460.00")]) == [Decimal("50.00"), Decimal("56.00"), Decimal("50.00")]
    regions = open_view("sku_comparison.py", show="Geo-replication")
    assert len(table(regions, "Regions")) == 10
    assert all(len(one.get("plotly_chart")) == 1 for one in (at, sizes, regions))


def test_each_further_region_has_its_price(open_view: Open) -> None:
    at = open_view("sku_comparison.py", show="Geo-replication", stored="100.0", currency="USD")
    assert "Each further region adds USD 60.00 a month to Premium, for 100 GiB" in texts(at)


def test_answers_stay_while_another_tab_is_open(open_view: Open) -> None:
    at = open_view("sku_comparison.py", stored="500.0", show="Geo-replication")
    assert at.number_input(key="stored").value == 500.0
    assert "for 500 GiB" in texts(at)


def test_figures_name_the_saving_and_how_many_could_be_cheaper(open_view: Open) -> None:
    found = figures(open_view("sku_comparison.py", currency="USD"))
    assert {label: value for label, (value, _) in found.items()} == {
        "Could be saved": "≥ USD 85.48",
        "With a cheaper SKU": "≥ 5",
        "At list prices": "≥ USD 504.56",
    }
    assert found["Could be saved"][1].startswith(
        "a month, by SKU in 5 registries; not counted: USD 59 for storage beyond the included; SKU of 1 unknown"
    )


def test_the_saving_is_the_same_figure_on_every_page_that_has_it(open_view: Open) -> None:
    shown = {script: figures(open_view(script))["Could be saved"] for script in PAGES_WITH_SAVING}
    assert len(set(shown.values())) == 1, shown
    assert shown["overview.py"][0].startswith("≥ EUR ")


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({}, "Basic costs least, Premium from 460 GiB. Standard never: choose it for features."),
        ({"days": "28"}, "Basic costs least, Premium from 430 GiB."),
        ({"days": "31"}, "Basic costs least, Premium from 475 GiB."),
        ({"discount": "100.00"}, "Basic costs least. Standard and Premium never"),
    ],
)
def test_which_sku_costs_least_is_computed(open_view: Open, query: dict[str, str], words: str) -> None:
    at = open_view("sku_comparison.py", show="Cost by size", **query)
    assert not at.exception
    assert f"For storage alone, {words}" in texts(at)


def test_a_sheet_moves_the_size_from_which_another_sku_costs_less(
    open_view: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sheet = tmp_path / "agreed.csv"
    monkeypatch.setenv("ACR_CONSOLE_PRICE_SHEET", str(sheet))
    sheet.write_text("meter,currency,price\nPremium Registry Unit,USD,1\n")
    at = open_view("sku_comparison.py", show="Cost by size")
    assert "Basic costs least, Premium from 260.02 GiB" in texts(at)
    assert "460 GiB" not in texts(at)


def test_a_price_sheet_of_the_settings_is_over_the_list(
    open_view: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sheet = tmp_path / "agreed.toml"
    monkeypatch.setenv("ACR_CONSOLE_PRICE_SHEET", str(sheet))
    sheet.write_text('currency = "EUR"\n[[price]]\nmeter = "Basic Registry Unit"\nprice = 0.10\n')
    at = open_view("sku_comparison.py")
    assert "EUR 3.00" in recommended(at)
    assert "overridden by the prices in agreed.toml" in texts(at).replace("\\", "")
    sheet.write_text('currency = "EUR"\n[[price]]\nmeter = "Basic Registry Unit"\nprice = "0.1O"\n')
    at = open_view("sku_comparison.py")
    assert "Line 4, column 9: '0.1O' is no number" in texts(at)
    assert "EUR 4.50" in recommended(at)
    sheet.unlink()
    assert "No such file or directory" in texts(open_view("sku_comparison.py"))


def test_prices_out_of_reach_are_the_snapshot_s(open_view: Open, own: OwnSandbox) -> None:
    own.break_({"path": "/api/retail/prices", "status": 404})
    at = open_view("sku_comparison.py", as_session=own.session())
    assert "USD 5.00" in recommended(at)
    assert "snapshot of 01 October 2026 included in this console" in texts(at)
    assert "Today's list prices could not be read" in [one.label for one in at.expander]


def plan(open_view: Open, own: OwnSandbox) -> AppTest:
    at = open_view("sku_comparison.py", as_session=own.session(), registry="casaacr01")
    button(at, "Change SKU of casaacr01").click()
    return at.run()


def test_a_change_is_planned_done_and_read_back(open_view: Open, own: OwnSandbox) -> None:
    at = plan(open_view, own)
    shown = texts(at)
    assert "A month costs USD 20.00 now, and would cost **USD 5.00**: USD 15.00 less." in shown
    assert "az acr update --name casaacr01 --sku Basic" in shown
    reopen(at, "Change SKU of casaacr01")
    button(at, "Change to Basic").click()
    at.run()
    wait_for_job(at, "Change SKU")
    at.run()
    assert "casaacr01 to Basic: changed and verified." in "".join(str(one.value) for one in at.success)
    assert own.registry().sku == "Basic"
    button(at, "Dismiss").click()
    at.run()
    assert "changed and verified" not in "".join(str(one.value) for one in at.success)


def test_a_read_only_console_changes_nothing(open_view: Open, own: OwnSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "may_write", lambda **_: False)
    at = plan(open_view, own)
    assert button(at, "Change to Basic").disabled


def test_a_refused_change_says_why(open_view: Open, own: OwnSandbox) -> None:
    own.break_({"method": "PATCH", "path": "/casaacr01$", "status": 403, "body": "no"})
    at = plan(open_view, own)
    reopen(at, "Change SKU of casaacr01")
    button(at, "Change to Basic").click()
    at.run()
    wait_for_job(at, "Change SKU")
    at.run()
    assert "Could not change the SKU of casaacr01" in texts(at)
    assert own.registry().sku == "Standard"


def test_no_sku_is_recommended_on_unread_use(open_view: Open, own: OwnSandbox) -> None:
    own.break_({"path": "/casaacr01/listUsages$", "status": 403})
    at = open_view("sku_comparison.py", registry="casaacr01")
    assert not recommended(at)
    assert any(
        "No SKU is recommended: not all that casaacr01 uses could be read (usage)" in one.value for one in at.warning
    )
    figure = at.metric[0]
    assert (figure.label, figure.value) == ("Could be saved", "–")
    assert "no registry's use could be read" in figure.help


def test_savings_name_the_registries_that_they_leave_out(open_view: Open, own: OwnSandbox) -> None:
    own.make_registry("contosospare")
    assert figures(open_view("sku_comparison.py"))["With a cheaper SKU"] == ("2", "of 2 registries")
    st.cache_resource.clear()
    own.break_({"path": "/casaacr01/listUsages$", "status": 403})
    figure, beside = figures(open_view("sku_comparison.py"))["With a cheaper SKU"]
    assert figure.startswith("≥ ")
    assert beside == "of 2 registries; SKU of 1 unknown"


def test_nobody_s_registries_leave_the_comparison(open_view: Open, tmp_path: Path) -> None:
    with Sandbox.start(tmp_path / "empty", "empty") as sandbox:
        nobody = connect_sandbox(sandbox.ready)
        connection.use(nobody)
        at = open_view("sku_comparison.py", as_session=nobody)
    assert "USD 5.00" in recommended(at)
    assert "No registries" in texts(at)
