"""Cost as a team reviews it: the SKU comparison, a SKU changed, and a review that is saved and read on its own."""

import csv
import io
import re
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.console import act_until, cells, choose, click_name, console, settled, window

pytestmark = pytest.mark.browser
OF_TABLES = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"


def frame_with(page: Page, column: str) -> int:
    """Which of the tables in sight has this column; those in a closed expander have no cells."""
    expect(page.locator("table[role='grid'] th", has_text=column).first).to_be_attached(timeout=20_000)
    frames = page.get_by_test_id("stDataFrame")
    return next(
        number
        for number in range(frames.count())
        if frames.nth(number).is_visible() and column in cells(page, number)[0]
    )


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_skus_side_by_side(browser: Browser, address: str, screenshots: Path, theme: str, width: int) -> None:
    page = window(browser, theme, width)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{address}/skus?registry=contosohub")
    expect(page.get_by_text(re.compile(r"Premium, EUR 180\.4\d a month of 30 days"))).to_be_visible(timeout=30_000)
    settled(page)
    expect(page.get_by_role("figure", name=re.compile("^What a month costs with each SKU"))).to_be_visible()
    assert page.evaluate(OF_TABLES)
    page.screenshot(path=screenshots / f"skus-{theme}-{width}.png")
    page.get_by_role("tab", name="Geo-replication").click()
    expect(page.get_by_role("figure", name=re.compile("^What Premium costs a month"))).to_be_visible()
    page.get_by_role("tab", name="Cost by size").click()
    expect(page.get_by_role("figure", name=re.compile("^Monthly cost by GiB stored"))).to_be_visible()
    expect(page.get_by_text("From 460 GiB, Premium costs less than Basic")).to_be_visible()
    settled(page)
    page.get_by_role("tab", name="Cost by size").scroll_into_view_if_needed()
    page.screenshot(path=screenshots / f"skus-sizes-{theme}-{width}.png")
    assert [url for url in asked if not url.startswith((address, "data:", "blob:"))] == []
    page.context.close()


def test_the_guide_s_pricing_is_answered_with_today_s_figures(page: Page, address: str) -> None:
    page.goto(f"{address}/skus?show=Features&currency=USD")
    expect(page.get_by_text("It is USD 1.6666 a day: 50.00 in a month of 30 days")).to_be_visible(timeout=30_000)
    settled(page)
    features = {row[0]: row[1:4] for row in cells(page, frame_with(page, "Feature"))[1:]}
    page.get_by_role("tab", name="Compare").click()
    settled(page)
    page.get_by_text("A month by SKU").click()
    expect(page.get_by_role("region", name="A month by SKU")).to_be_visible()
    assert features["Storage included"] == ["10 GiB", "100 GiB", "500 GiB"]
    assert features["Webhooks"] == ["2", "10", "500"]
    fees = {row[0]: row[1] for row in cells(page, frame_with(page, "Fixed fee, USD"))[1:]}
    assert {sku: _bare(fee) for sku, fee in fees.items()} == {"Basic": "5", "Standard": "20", "Premium": "50"}
    page.get_by_test_id("stCheckbox").filter(has_text="Anonymous pull").click()
    expect(page.get_by_text("Standard, USD 20.00 a month of 30 days.")).to_be_visible()
    expect(page).to_have_url(re.compile("anonymous=true"))


def test_a_sku_is_changed_and_read_back(page: Page, tmp_path: Path, screenshots: Path) -> None:
    with console(tmp_path) as address:
        page.goto(f"{address}/skus?currency=USD")
        expect(page.get_by_text("Could be saved")).to_be_visible(timeout=30_000)
        settled(page)
        advised = page.get_by_text("Premium, USD 60.12 a month of 30 days.")
        click_name(page, "contosobuild", frame_with(page, "Recommended"), advised)
        expect(page).to_have_url(re.compile("registry=contosobuild"))
        expect(page.get_by_label("Region", exact=True)).to_have_value("westeurope")
        settled(page)
        page.get_by_role("button", name="Change SKU of contosobuild").click()
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_text(re.compile("A month costs USD 64.12 now, and would cost USD 60.12"))).to_be_visible()
        expect(dialog.get_by_text("az acr update --name contosobuild --sku Premium")).to_be_visible()
        settled(page)
        page.screenshot(path=screenshots / "sku-change-light-1280.png")
        dialog.get_by_role("button", name="Change to Premium").click()
        expect(page.get_by_text("contosobuild to Premium: changed and verified.")).to_be_visible(timeout=30_000)
        page.goto(f"{address}/registry?registry=contosobuild")
        expect(page.get_by_text("Premium", exact=True).first).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_a_review_of_the_estate(browser: Browser, address: str, screenshots: Path, theme: str, width: int) -> None:
    page = window(browser, theme, width)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{address}/costs?by=Subscription")
    expect(page.get_by_role("heading", name="Who spends it")).to_be_visible(timeout=30_000)
    settled(page)
    expect(page.get_by_role("figure", name=re.compile(r"^contoso-platform is \d+ % of the forecast"))).to_be_visible()
    assert page.evaluate(OF_TABLES)
    page.screenshot(path=screenshots / f"costs-{theme}-{width}.png")
    page.get_by_role("tab", name="Months").click()
    expect(page.get_by_role("figure", name=re.compile("^What was billed in EUR"))).to_be_visible()
    settled(page)
    assert page.evaluate(OF_TABLES)
    page.screenshot(path=screenshots / f"costs-months-{theme}-{width}.png")
    page.get_by_role("tab", name="Trend").click()
    expect(page.get_by_role("figure", name=re.compile("^Daily cost in EUR"))).to_be_visible()
    settled(page)
    assert page.evaluate(OF_TABLES)
    page.screenshot(path=screenshots / f"costs-trend-{theme}-{width}.png")
    assert [url for url in asked if not url.startswith((address, "data:", "blob:"))] == []
    page.context.close()


def test_a_budget_is_created_and_then_listed(page: Page, tmp_path: Path, screenshots: Path) -> None:
    with console(tmp_path) as address:
        page.goto(f"{address}/costs?show=Budgets")
        dialog = page.get_by_role("dialog")
        opener = page.get_by_test_id("stMain").get_by_role("button", name="Create budget", exact=True)
        expect(opener).to_be_visible(timeout=60_000)
        settled(page)
        act_until(dialog, opener.click)
        settled(page)
        for label, value in (
            ("Name", "team-acr"),
            ("E-mail addresses", "team@contoso.com, finance@contoso.com"),
            ("Alert at, %", "65"),
        ):
            box = dialog.get_by_label(label, exact=True)
            box.fill(value)
            box.press("Tab")
            settled(page)
        line = dialog.get_by_text(re.compile("az rest --method put"))
        expect(line).to_contain_text("Actual_GreaterThan_65_Percent")
        expect(line).to_contain_text("finance@contoso.com")
        page.screenshot(path=screenshots / "budget-light-1280.png")
        dialog.get_by_role("button", name="Create budget", exact=True).click()
        expect(page.get_by_text("Budget team-acr: created and verified.")).to_be_visible(timeout=30_000)
        expect(page.get_by_role("button", name="Stop", exact=True)).to_have_count(0, timeout=60_000)
        settled(page)
        assert "team-acr" in {row[0] for row in cells(page, frame_with(page, "Renewed"))[1:]}
        page.goto(f"{address}/deletions")
        settled(page)
        assert ("Create budget", "Completed") in {
            (row[head.index("Action")], row[head.index("State")])
            for head, *rows in [cells(page, frame_with(page, "Started"))]
            for row in rows
        }


def test_a_review_is_saved_and_says_the_same_as_the_page(
    browser: Browser, page: Page, address: str, tmp_path: Path, screenshots: Path
) -> None:
    page.goto(f"{address}/costs?by=Subscription&registry=contosohub&show=Repositories")
    expect(page.get_by_role("button", name="Read repositories")).to_be_visible(timeout=30_000)
    # Until its chart is drawn, what stands below it moves.
    expect(
        page.get_by_role("figure", name=re.compile("is .* of the forecast")).get_by_text("casacloud")
    ).to_be_visible()
    page.wait_for_load_state("networkidle")
    settled(page)
    of_bill = page.get_by_text("of the month's bill")
    act_until(of_bill, lambda: page.get_by_role("button", name="Read repositories").click())
    settled(page)
    page.get_by_text("contosohub by repository").click()
    expect(page.get_by_role("region", name="contosohub by repository")).to_be_visible()
    shown = {}
    for tab, column in (("Repositories", "Unique"), ("Registries", "Note"), ("Budgets", "Renewed")):
        page.get_by_role("tab", name=tab, exact=True).click()
        settled(page)
        shown[column] = cells(page, frame_with(page, column))
    # Sizes are bytes in the page's hidden grid, and in words in the files.
    shown["Unique"] = [row[:2] for row in shown["Unique"]]
    page.get_by_role("button", name="Save report").click()
    saved = {}
    for kind in ("HTML", "CSV"):
        with page.expect_download() as download:
            page.get_by_role("button", name=f"Save as {kind}").click()
        saved[kind] = tmp_path / download.value.suggested_filename
        download.value.save_as(saved[kind])
    assert re.fullmatch(r"registry-cost-review-\w+-\d{4}\.html", saved["HTML"].name)
    rows = list(csv.reader(io.StringIO(saved["CSV"].read_text(encoding="utf-8-sig"), newline="")))

    reader = browser.new_context(color_scheme="light", viewport={"width": 1280, "height": 900}).new_page()
    asked: list[str] = []
    reader.on("request", lambda request: asked.append(request.url))
    reader.goto(saved["HTML"].as_uri())
    reader.screenshot(path=screenshots / "saved-review-light-1280.png")
    assert asked == [saved["HTML"].as_uri()]
    for title in ("contoso-platform is", "of contosohub, EUR", "cost most of"):
        drawn = reader.locator("figure", has_text=title).first
        expect(drawn.locator("rect[class^=series]").last).to_be_visible()
    assert reader.evaluate(OF_TABLES)
    for found in shown.values():
        table = reader.locator("table", has=reader.get_by_role("columnheader", name=found[0][0], exact=True)).filter(
            has=reader.get_by_role("columnheader", name=found[0][1], exact=True)
        )
        page_rows = [[cell.strip() for cell in row] for row in found[1:]]
        html_rows = [row.locator("td").all_inner_texts() for row in table.last.locator("tbody tr").all()]
        head = next(number for number, row in enumerate(rows) if row[: len(found[0])] == found[0])
        csv_rows = rows[head + 1 : head + 1 + len(html_rows)]
        assert page_rows
        # The page's hidden grid holds only the rows and columns in sight.
        for row in page_rows:
            wanted = [_bare(cell) for cell in row]
            assert wanted in [[_bare(cell) for cell in other[: len(row)]] for other in html_rows]
            assert wanted in [[_bare(cell) for cell in other[: len(row)]] for other in csv_rows]
    reader.context.close()


def _bare(cell: str) -> str:
    """Without what each form adds: thousands separators, noughts, a dash for nothing, the guard against formulas."""
    text = cell.strip().removeprefix("'")
    number = text.replace(",", "")
    if re.fullmatch(r"-?\d+(\.\d+)?", number):
        return f"{Decimal(number).normalize() + 0:f}"
    return "" if text in ("–", "None") else text


def test_a_price_sheet_with_a_typo_says_where_and_a_right_one_counts(page: Page, address: str, tmp_path: Path) -> None:
    sheet = tmp_path / "ours.csv"
    page.goto(f"{address}/skus")
    expect(page.get_by_text("Basic, EUR 4.50 a month of 30 days.")).to_be_visible(timeout=30_000)
    settled(page)
    page.get_by_test_id("stMain").get_by_test_id("stPopoverButton").filter(has_text="Prices").click()
    sheet.write_text("meter,currency,price\nBasic Registry Unit,EUR,0.1O\n")
    page.locator("input[type=file]").set_input_files(sheet)
    expect(page.get_by_text("ours.csv can't be used. Line 2, column 25: '0.1O' is no number.")).to_be_visible()
    # A browser takes the same path for no change.
    sheet = tmp_path / "mended.csv"
    sheet.write_text("meter,currency,price\nBasic Registry Unit,EUR,0.10\n")
    page.locator("input[type=file]").set_input_files(sheet)
    expect(page.get_by_text("Basic, EUR 3.00 a month of 30 days.")).to_be_visible()
    expect(page.get_by_text("overridden by the prices in mended.csv")).to_be_visible()


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("skus?registry=contosohub", re.compile(r"Premium, EUR 180\.4")),
        (
            "costs?registry=contosohub&by=Subscription&show=Repositories",
            "To split its bill, all manifests of contosohub have to be read once.",
        ),
        ("aks?cluster=aks1&registry=casaacr01", "aks1 can't pull from casaacr01"),
    ],
)
def test_a_link_that_is_opened_cold_keeps_what_it_names(
    page: Page, tmp_path: Path, path: str, words: str | re.Pattern[str]
) -> None:
    with console(tmp_path, ACR_CONSOLE_SANDBOX_LATENCY_MS="400") as address:
        page.goto(f"{address}/{path}")
        expect(page.get_by_text(words)).to_be_visible(timeout=60_000)


def test_the_start_is_chosen_by_the_keyboard_alone(page: Page, address: str) -> None:
    page.goto(f"{address}/skus")
    expect(page.get_by_text("Could be saved")).to_be_visible(timeout=30_000)
    settled(page)
    choose(page, "Start from", "contosobase", page.get_by_text("Standard, EUR 18.00 a month of 30 days."))
