"""The cost review, against the sandbox's own rows. Months that are over are looked at: what they say is the same every
day of the month that runs."""

import json
import re
import threading
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from sandbox.billing.rows import CostRow, add_costs
from sandbox.billing.rows import costs as billed_rows
from sandbox.seeds.places import RESTRICTED
from sandbox.server import Sandbox
from services.connection.session import AzureSession, connect_sandbox
from services.cost_reports.deliveries import Target, claim_report, end_report, fail_report
from services.cost_reports.months import last_settled
from services.cost_trend.days import Trend, trend_of
from services.costs.recent_bills import Bills
from services.costs.review import days_in, month_before, recent_months
from services.pricing.money import cents, money
from services.registries.reading import list_registries
from tests.support.app_test import Open, figures, open_dialog, texts
from tests.support.own_sandbox import OwnSandbox
from ui.costs.trend import trend_tables
from ui.loaders import bills, contents
from ui.loaders import registries as registry_loaders
from ui.runtime import background, connection
from ui.runtime.database import database

LAST = month_before(datetime.now(UTC).date().replace(day=1))
NAME = f"{LAST:%B %Y}"


def read_bills(session: AzureSession) -> None:
    """Reads what was billed before the page is opened: it shows it without progress then."""
    connection.use(session)
    today = datetime.now(UTC).date()
    reading = bills.bills(connection.who(), recent_months(today)[-1], today.replace(day=days_in(today)))
    assert reading.finished.wait(30)


@pytest.fixture
def review(open_view: Open, session: AzureSession):  # type: ignore[no-untyped-def]
    """Opens the review of last month."""

    def opened(**query: str) -> AppTest:
        read_bills(session)
        at = open_view("cost_review.py", **{"month": NAME, **query})
        assert not at.exception
        return at

    return opened


def billed(sandbox: Sandbox, month: date, currency: str = "EUR") -> Decimal:
    rows = billed_rows(sandbox.store, "/subscriptions", month, month.replace(day=days_in(month)))
    seen = [row for row in rows if "containerregistry" in row.kind and RESTRICTED not in row.resource]
    return sum((row.cost for row in seen if row.currency == currency), Decimal(0))


def metrics(at: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in at.metric}


def table(at: AppTest, column: str) -> Any:
    """The table that has this column first."""
    return next(found.value for found in at.dataframe if found.value.columns[0] == column)


def test_the_figures_are_what_was_billed(review: Any, sandbox: Sandbox) -> None:
    found = metrics(review())
    # At least: one subscription's offer has no bills.
    assert found["Billed"] == "≥ " + money(billed(sandbox, LAST), "EUR")
    assert found[f"In {month_before(LAST):%B}"] == "≥ " + money(billed(sandbox, month_before(LAST)), "EUR")


def test_three_figures_head_the_page(review: Any) -> None:
    assert list(metrics(review())) == ["Billed", f"In {month_before(LAST):%B}", "Could be saved"]
    assert list(metrics(review(month=""))) == ["Cost so far", "Forecast", "Could be saved"]


def test_what_could_be_saved_is_made_of_skus_and_untagged_storage_and_leads_there(
    review: Any, session: AzureSession
) -> None:
    at = review(currency="USD")
    # As the SKU comparison says: 5 registries have a cheaper SKU.
    figure, beside = figures(at)["Could be saved"]
    assert figure == "≥ USD 85.48"
    assert beside.startswith(
        "a month, by SKU in 5 registries; not counted: USD 59 for storage beyond the included; "
        "SKU of 1 unknown; untagged storage of 12 not measured"
    )
    links = {link.proto.label: link.proto for link in at.get("page_link")}
    # The comparison opens in the same currency.
    assert "currency=USD" in links["5 registries with a cheaper SKU"].query_string
    # How much of what no manifest has can be deleted is unknown: it is in no sum.
    beyond = links["Not counted: contosobuild, USD 59 a month, 591 GiB beyond the included storage"]
    assert (beyond.page, beyond.query_string) == ("storage", "registry=contosobuild")
    before = len(list_registries(session).values)
    assert f"Untagged storage not measured in {before} of {before} registries" in links
    count(session, "contosoci")
    links = [link.proto.label for link in review(currency="USD").get("page_link")]
    assert f"Untagged storage not measured in {before - 1} of {before} registries" in links
    # It is within the included storage, and named all the same.
    assert any(re.fullmatch(r"[\d.]+ MiB untagged in contosoci", label) for label in links), links


def count(session: AzureSession, name: str) -> None:
    """Reads all manifests of a registry."""
    registry = next(one for one in list_registries(session).values if one.name == name)
    who = connection.who()
    assert registry_loaders.catalogue(who, registry.login_server).finished.wait(30)
    assert contents.registry(who, registry.login_server).finished.wait(30)


def test_a_budget_that_is_overspent_heads_the_page(review: Any) -> None:
    at = review()
    (line,) = at.error
    assert line.value.replace("\\", "").startswith("Over budget: **platform-registries**: EUR ")
    next(one for one in at.button if one.label == "Show budgets").click()
    at.run()
    assert table(at, "Budget")["State"].iloc[0] == "Over budget"


def test_the_registry_of_the_address_is_marked(review: Any) -> None:
    at = review(registry="contosohub")
    assert "**contosohub**: billed EUR " in texts(at)
    chart = json.loads(at.get("plotly_chart")[0].proto.spec)
    assert [text for text in chart["layout"]["yaxis"]["ticktext"] if text.startswith("<b>")] == ["<b>contosohub</b>"]


def test_who_spends_it_is_sorted_and_names_the_dearest(review: Any) -> None:
    at = review()
    assert re.search(r"contosohub is \d+ % of \w+ that could be read, EUR", texts(at))
    chart = json.loads(at.get("plotly_chart")[0].proto.spec)
    billed, estimated = (trace["x"] for trace in chart["data"])
    amounts = [one + other for one, other in zip(billed, estimated, strict=True)]
    assert amounts == sorted(amounts, reverse=True)


def test_what_the_figures_leave_out_is_said(review: Any) -> None:
    at = review(by="Resource group")
    assert "in none of these figures" in texts(at) and "contosoarchive" in texts(at)
    assert sum(table(at, "Resource group")["Cost unknown"]) >= 1


def test_a_month_that_runs_has_a_forecast(review: Any) -> None:
    found = metrics(review(month=""))
    assert {"Cost so far", "Forecast"} <= set(found)


def test_the_forecast_says_what_its_change_leaves_out_and_which_registries_it_counts(review: Any) -> None:
    _, beside = figures(review(month=""))["Forecast"]
    assert " without estimates; 1 registry at the estimate" in beside
    assert "1 of 13 registries (12 listed, 1 deleted or hidden) unknown" in beside


def test_months_say_that_another_currency_is_in_no_total(review: Any) -> None:
    assert "USD is in no EUR total: amounts of two currencies are never added." in texts(review(show="Months"))


def registries_of(at: AppTest) -> Any:
    """The table of registries, by name."""
    return next(one.value for one in at.dataframe if "Resource group" in one.value.columns).set_index("Registry")


def list_prices_of(at: AppTest) -> Any:
    """The table of what registries would cost at list prices, by name."""
    found = (one.value for one in at.dataframe if any(name.startswith("At list prices") for name in one.value.columns))
    return next(found).rename(columns=lambda name: name.partition(",")[0]).set_index("Registry")


def test_every_registry_has_a_line_that_says_what_its_figure_is(review: Any) -> None:
    at = review()
    lines = registries_of(at)
    assert lines.loc["contosohub", "Note"] == ""
    # What the chart draws of it is in the table too.
    assert lines.loc["casaacr01", "Note"] == "Not on the bill: estimate at list prices."
    assert lines.loc["casaacr01", "Billed, EUR"] is None
    assert lines.loc["casaacr01", "Billed or estimated, EUR"] == list_prices_of(at).loc["casaacr01", "At list prices"]
    assert lines.loc["contosolegacy", "Resource group"] == "payments-rg"
    assert lines.loc["contosolegacy", "Note"].startswith("Deleted")
    assert lines.loc["contosoarchive", "Note"].startswith("Cost unknown: no bill, and Classic has no list price.")
    assert "contosoarchive" not in list_prices_of(at).index
    assert "Build minutes" in list_prices_of(at).loc["contosoci", "Why"]


@pytest.mark.parametrize(
    ("by", "name"),
    [
        ("Subscription", "contoso-platform"),
        ("Resource group", "data-rg (contoso-apps)"),
        ("Tag environment", "production"),
    ],
)
def test_groups_add_up_to_the_bill(review: Any, sandbox: Sandbox, by: str, name: str) -> None:
    groups = table(review(by=by), by)
    assert name in set(groups[by])
    assert abs(
        sum(amount for amount in groups["Billed, EUR"] if amount is not None) - cents(billed(sandbox, LAST))
    ) < Decimal("0.05")


def test_months_by_meter_have_a_chart_and_its_numbers(review: Any, sandbox: Sandbox) -> None:
    at = review(show="Months")
    meters = table(at, "Meter")
    assert abs(sum(meters[f"{LAST:%b %Y}"]) - cents(billed(sandbox, LAST))) < Decimal("0.05")
    chart = json.loads(at.get("plotly_chart")[1].proto.spec)
    assert len({trace["marker"]["color"] for trace in chart["data"]}) == len(chart["data"]) <= 6
    month = chart["data"][0]["x"].index(f"{LAST:%b<br>%Y}")
    assert abs(sum(trace["y"][month] for trace in chart["data"]) - float(billed(sandbox, LAST))) < 0.05


def test_a_currency_that_changed_has_months_of_its_own(review: Any) -> None:
    assert {"Months by meter, EUR", "Months by meter, USD"} <= {one.label for one in review(show="Months").expander}


def test_each_subscription_s_source_and_reason_is_said(review: Any) -> None:
    at = review(show="Sources")
    sources = table(at, "Subscription").set_index("Subscription")
    assert sources.loc["contoso-apps", "Reason"] == "Its offer has no cost query."
    assert "Cost Management Reader" in sources.loc["contoso-restricted", "Reason"]
    assert "free trial" in sources.loc["casacloud", "Reason"]
    assert "Bill not read: contoso\\-restricted" in [one.label for one in at.expander]
    assert "Not included, as other services bill it: private endpoints" in texts(at)


def test_budgets_say_what_is_spent(review: Any) -> None:
    found = table(review(show="Budgets"), "Budget").set_index("Budget")
    covers = found["Covers"]
    assert covers["apps-registries"].startswith(
        "subscription contoso-apps: ResourceType is microsoft.containerregistry/registries"
    )
    assert covers["platform-registries"] == "resource group platform-registries-rg of contoso-platform"
    assert covers["platform-all"] == "subscription contoso-platform"
    assert set(found["Amount, EUR"]) == {Decimal("250.00"), Decimal("400.00"), Decimal("5000.00")}


def test_a_registry_s_bill_is_shared_out_to_its_repositories(
    review: Any, session: AzureSession, sandbox: Sandbox
) -> None:
    at = review(registry="contosohub", show="Repositories")
    assert "Read repositories" in [button.label for button in at.button]
    count(session, "contosohub")
    line = registries_of(review())
    at = review(registry="contosohub", show="Repositories")
    shared = table(at, "Repository")
    assert set(shared["Repository"]) == set(sandbox.store.list_repositories("contosohub"))
    assert sum(shared["Cost, EUR"]) == line.loc["contosohub", "Billed, EUR"]
    assert "api/orders" in json.loads(at.get("plotly_chart")[-1].proto.spec)["layout"]["yaxis"]["ticktext"]
    at = review(registry="contosohub", show="Repositories", prefix="true")
    assert sum(table(at, "Repository")["Cost, EUR"]) == line.loc["contosohub", "Billed, EUR"]
    assert "api/" in set(table(at, "Repository")["Repository"])


def test_storage_that_no_repository_lists_is_a_line_of_the_bill(review: Any, session: AzureSession) -> None:
    count(session, "contosobuild")
    at = review(registry="contosobuild", show="Repositories")
    shared = table(at, "Repository").set_index("Repository")
    assert round(shared.loc["Uncounted", "Unique"] / 2**30) == 600
    assert list(shared["Cost, EUR"]) == sorted(shared["Cost, EUR"], reverse=True)
    assert sum(shared["Cost, EUR"]) == registries_of(review()).loc["contosobuild", "Billed, EUR"]
    assert "Uncounted: 600 GiB that Azure reports as stored" in texts(at)


def test_estimates_are_in_the_currency_and_at_the_discount_that_the_url_asks_for(review: Any) -> None:
    def estimated(**query: str) -> Decimal:
        return list_prices_of(review(**query)).loc["contosodev", "At list prices"]  # type: ignore[no-any-return]

    days = days_in(LAST)
    assert estimated() == cents(Decimal("0.14994") * days)
    assert estimated(discount="50.00") == cents(Decimal("0.07497") * days)
    assert estimated(currency="USD") == cents(Decimal("0.1666") * days)


def test_without_a_bill_the_estimate_is_shown_and_said_to_be_one(open_view: Open, own: OwnSandbox) -> None:
    read_bills(own.session())
    at = open_view("cost_review.py", as_session=own.session(), month=NAME)
    assert not at.exception
    assert registries_of(at).loc["casaacr01", "Note"] == "Not on the bill: estimate at list prices."
    assert list_prices_of(at).loc["casaacr01", "At list prices"] == cents(Decimal("0.6666") * days_in(LAST))


def test_throttling_is_said_with_how_long_it_lasts(open_view: Open, own: OwnSandbox) -> None:
    header = {"x-ms-ratelimit-microsoft.costmanagement-tenant-retry-after": "300"}
    own.break_({"path": "/query$", "status": 429, "headers": header})
    read_bills(own.session())
    at = open_view("cost_review.py", as_session=own.session())
    assert not at.exception
    assert any("1 bill (casacloud)" in one.label for one in at.expander)
    assert "try again in 300 s" in texts(at)


def test_prices_out_of_reach_are_those_of_the_snapshot_in_dollars(open_view: Open, own: OwnSandbox) -> None:
    own.break_({"path": "/api/retail/prices", "status": 404})
    read_bills(own.session())
    at = open_view("cost_review.py", as_session=own.session(), currency="EUR", month=NAME)
    assert not at.exception
    assert "snapshot of 01 October 2026" in texts(at)
    assert "all figures are in USD" in "".join(str(one.value) for one in at.warning)
    assert "Today's list prices could not be read" in [one.label for one in at.expander]


def test_a_console_without_registries_says_so(open_view: Open, tmp_path: Path) -> None:
    with Sandbox.start(tmp_path / "empty", "empty") as sandbox:
        nobody = connect_sandbox(sandbox.ready)
        read_bills(nobody)
        at = open_view("cost_review.py", as_session=nobody)
    assert not at.exception
    assert "No registries found" in texts(at)


def read_days(session: AzureSession) -> None:
    """Reads the days before the tab Trend is opened: it shows them without progress then."""
    read_bills(session)
    assert bills.recent_days(connection.who()).finished.wait(30)


def test_the_trend_has_each_day_as_it_was_billed(review: Any, session: AzureSession, sandbox: Sandbox) -> None:
    read_days(session)
    at = review(show="Trend")
    found = table(at, "Day")
    day = datetime.now(UTC).date() - timedelta(10)
    rows = [row for row in billed_rows(sandbox.store, "/subscriptions", day, day) if "containerregistry" in row.kind]
    wanted = sum((row.cost for row in rows if RESTRICTED not in row.resource and row.currency == "EUR"), Decimal(0))
    (row,) = [row for row in found.to_dict("records") if row["Day"] == day]
    assert row["All, EUR"] == cents(wanted)
    assert found.iloc[0]["Note"] == "Not complete yet: Azure bills late."
    assert re.search(r"EUR [\d.]+ a day in the last 28 days", texts(at).replace("\\", ""))
    assert "not complete yet, as Azure bills late" in texts(at)


def test_the_trend_by_repository_asks_for_what_is_stored(review: Any, session: AzureSession) -> None:
    read_days(session)
    at = review(show="Trend", trend="Repository", registry="contosohub")
    assert "Unknown by repository: read the repositories of contosohub" in texts(at)
    count(session, "contosohub")
    at = review(show="Trend", trend="Repository", registry="contosohub")
    assert "Each day is split by what is stored now." in texts(at).replace("\\", "")
    assert len(table(at, "Day").columns) > 3


def test_days_are_not_read_before_the_tab_is_opened(review: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(bills, "recent_days", lambda who: asked.append(who))
    review()
    assert asked == []


def test_a_registry_that_doubled_is_named_and_the_next_quarter_is_foretold(own: OwnSandbox, open_view: Open) -> None:
    today, registry_id = datetime.now(UTC).date(), own.registry().id
    since = today - timedelta(17)
    fee = ("Standard Registry Unit", Decimal(1), Decimal("0.6"), "EUR")
    builds = ("Task vCPU Duration", Decimal(7000), Decimal("0.63"), "EUR")
    rows = [CostRow(registry_id, today - timedelta(number), *fee) for number in range(1, 93)]
    add_costs(own.sandbox.store, [*rows, *(CostRow(registry_id, row.day, *builds) for row in rows if row.day >= since)])
    session = own.session()
    read_days(session)
    at = open_view("cost_review.py", month=NAME, show="Trend")
    assert not at.exception
    (line,) = at.warning
    said = line.value.replace("\\", "")
    assert said.startswith(f"casaacr01 doubled since {since.day} {since:%B}: build minutes (EUR 0.60 a day"), said
    assert re.search(r"Q[1-4] 20\d\d: EUR [\d,.]+ \(likely ", texts(at).replace("\\", ""))
    quarters = [found.value for found in at.dataframe if "Likely most" in found.value.columns]
    assert [list(found["Registry"]) for found in quarters] == [["casaacr01"]]


def test_a_budget_is_planned_with_its_line(review: Any) -> None:
    at = review(show="Budgets")
    open_dialog(at, "Create budget")
    assert not at.exception
    line = "\n".join(str(one.value) for one in at.code)
    assert "az rest --method put" in line
    assert "microsoft.containerregistry/registries" in line
    assert any("Nobody is told" in one.value for one in at.warning)
    next(one for one in at.text_input if one.label == "Name").set_value("two words")
    open_dialog(at, "Create budget")
    assert any("1 to 63 letters" in one.value for one in at.error)


def test_a_budget_is_in_the_currency_of_its_own_subscription(review: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    at = review(show="Budgets")
    open_dialog(at, "Create budget")
    assert "Amount, EUR" in [one.label for one in at.number_input]
    monkeypatch.setattr(Bills, "currencies", {"another": "EUR"})
    at = review(show="Budgets")
    open_dialog(at, "Create budget")
    assert "Amount, in the currency of the bill" in [one.label for one in at.number_input]


def test_the_next_quarter_is_calculated_in_the_background_and_shown_when_ready(
    own: OwnSandbox, open_view: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    today, go = datetime.now(UTC).date(), threading.Event()
    fee = ("Standard Registry Unit", Decimal(1), Decimal("0.6"), "EUR")
    rows = [CostRow(own.registry().id, today - timedelta(number), *fee) for number in range(1, 93)]
    add_costs(own.sandbox.store, rows)
    read_days(own.session())
    calculate = bills.quarter_costs
    monkeypatch.setattr(bills, "quarter_costs", lambda *args, **more: go.wait(60) and calculate(*args, **more))
    monkeypatch.setattr(background, "BLINK_S", 0.05)
    at = open_view("cost_review.py", month=NAME, show="Trend")
    # The page does not wait for it: it is whole but for the quarter.
    assert not at.exception and "Next quarter" in [one.value for one in at.subheader]
    assert not re.search("Q[1-4] 20", texts(at)) and len(table(at, "Day")) == 93
    who = connection.who()
    (pending,) = [one for one in trend_tables(who, trend_now(who)) if one.heading.startswith("Next quarter")]
    assert (pending.rows, pending.note) == ((), "Not calculated yet: save the report again in a moment.")
    go.set()
    assert bills.quarter(who, trend_now(who)).finished.wait(30)
    assert re.search(r"Q[1-4] 20\d\d: EUR [\d,.]+ \(likely ", texts(at.run()).replace("\\", ""))
    (ready,) = [one for one in trend_tables(who, trend_now(who)) if one.heading.startswith("Next quarter")]
    assert len(ready.rows) == 1 and "Not calculated yet" not in ready.note


def trend_now(who: str) -> Trend:
    listed = registry_loaders.inventory(who).value.registries
    return trend_of(bills.recent_days(who).value, listed, bills.today())


def test_one_identity_s_quarter_is_not_another_s(own: OwnSandbox) -> None:
    connection.use(own.session())
    empty = Trend(date(2026, 9, 1), date(2026, 11, 29), date(2026, 11, 27), (), {})
    assert bills.quarter("one", empty) is bills.quarter("one", empty)
    assert bills.quarter("one", empty) is not bills.quarter("another", empty)


def captions(at: AppTest) -> str:
    return "\n".join(str(one.value) for one in at.caption).replace("\\", "")


def test_the_page_says_which_monthly_report_went_where_or_why_not(
    review: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Monthly report" not in captions(review())
    monkeypatch.setenv("ACR_CONSOLE_DATA", str(tmp_path / "console"))
    monkeypatch.setenv("ACR_CONSOLE_REPORT_FOLDER", str(tmp_path / "reports"))
    monkeypatch.setenv("ACR_CONSOLE_REPORT_WEBHOOK", "https://hooks.example.com/services/s3cr3t")
    said = captions(review())
    assert "Monthly report to the folder: none yet. It is made from day 4 of a month on." in said
    assert "Monthly report to the webhook of hooks.example.com: none yet." in said
    month, lease = last_settled(datetime.now(UTC)), timedelta(seconds=30)
    first = claim_report(database(), connection.own_who(), [Target.FOLDER], lease)
    second = claim_report(database(), connection.own_who(), [Target.WEBHOOK], lease)
    assert first and second
    assert f"Monthly report of {month:%B %Y}: being made for the folder." in captions(review())
    end_report(database(), first, "a.html and a.csv", "Not all could be read: 1 bill")
    fail_report(database(), second, "hooks.example.com: It answered 503.")
    at = review()
    said = captions(at)
    delivered = f"Monthly report of {month:%B %Y}: delivered to the folder as a.html and a.csv just now ("
    assert delivered in said and "Not all could be read: 1 bill." in said
    failed = " ".join(one.value for one in at.warning).replace("\\", "")
    assert f"Monthly report of {month:%B %Y}: not delivered to the webhook of hooks.example.com (just now). " in failed
    assert "It answered 503. It is tried again by itself." in failed
    assert "s3cr3t" not in said + failed + texts(at)
