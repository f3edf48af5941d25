import os
import re
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.support.chromium import chromium
from tests.support.console import console, window

FAILURES = Path(__file__).parent / "failures"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failure without Playwright's outline of the whole page, hundreds of lines: its picture shows the page."""
    report = yield
    if report.failed:
        report.longrepr = re.sub(r"^E +Aria snapshot:\n(E .*\n?)*", "", str(report.longrepr), flags=re.MULTILINE)
    return report


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A console on the estate, shared by the tests that change nothing."""
    with console(tmp_path_factory.mktemp("console")) as address:
        yield address


@pytest.fixture
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    page = window(browser)
    failed = request.session.testsfailed
    yield page
    if request.session.testsfailed > failed:
        FAILURES.mkdir(exist_ok=True)
        page.screenshot(path=FAILURES / f"{request.node.name}.png", full_page=True)
    page.context.close()


@pytest.fixture(scope="session")
def screenshots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the walk leaves its pictures: SCREENSHOTS, else a folder that goes away."""
    return Path(os.environ.get("SCREENSHOTS") or tmp_path_factory.mktemp("screenshots"))
