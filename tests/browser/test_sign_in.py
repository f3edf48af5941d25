"""A team's console: people sign in, each sees what is theirs, and nobody else's page opens for them."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest
import requests
from cryptography.fernet import Fernet
from playwright.sync_api import Browser, Locator, Page, expect
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from sandbox.seeds.company import DEVELOPERS
from tests.support.console import cells, click_name, console_process, free_port, settled, window
from tests.support.people import (
    AUDITOR,
    DEVELOPER,
    ENGINEER,
    cookie_of,
    open_identity,
    registries,
    said_on_websocket,
    signed_in,
)
from ui.runtime.gate import COOKIE

pytestmark = pytest.mark.browser


@dataclass(frozen=True)
class Team:
    """A console that people sign in to, and its database."""

    address: str
    database: Path


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    data = tmp_path_factory.mktemp("team")
    port = free_port()
    database = data / "team.db"
    settings = {
        "ACR_CONSOLE_SIGN_IN": "entra",
        "ACR_CONSOLE_PUBLIC_URL": f"http://localhost:{port}",
        "ACR_CONSOLE_KEYS": Fernet.generate_key().decode(),
        "ACR_CONSOLE_DATABASE": f"sqlite:///{database}",
        "ACR_CONSOLE_CHECK_S": "1",
    }
    with console_process(data, port=port, **settings) as (address, _process):
        yield Team(address, database)


def test_a_deep_link_survives_the_sign_in_of_a_new_process(browser: Browser, team: Team) -> None:
    page = signed_in(browser, team, ENGINEER, "/repositories?registry=casaacr01&x=a%26b")
    assert page.url.startswith(f"{team.address}/repositories?registry=casaacr01")
    expect(page.get_by_text("nodejstemplate").first).to_be_attached(timeout=30_000)
    page.context.close()


def test_two_people_see_their_own_consoles_at_the_same_time(browser: Browser, team: Team) -> None:
    pages = {who: signed_in(browser, team, who, "/inventory") for who in (ENGINEER, DEVELOPER)}
    assert registries(pages[DEVELOPER], "1 registry") == ["contosopayments"]
    assert len(registries(pages[ENGINEER], "13 registries")) == 13
    for who, number in ((ENGINEER, "13 registries"), (DEVELOPER, "1 registry")):
        pages[who].reload()  # By now from what the process keeps.
        registries(pages[who], number)
    for who, page in pages.items():
        expect(page.get_by_test_id("stSidebar").get_by_role("button", name=who)).to_be_visible()
        page.context.close()


def test_who_is_signed_in_may_change_what_azure_lets_them(browser: Browser, team: Team) -> None:
    page = signed_in(browser, team, ENGINEER, "/image?registry=casaacr01&repository=nodejstemplate&reference=v1.0.0")
    expect(page.get_by_role("button", name="Add tag")).to_be_enabled(timeout=30_000)
    expect(page.get_by_text("Read-only")).to_have_count(0)
    page.context.close()


def planned(page: Page) -> Locator:
    """The plan of the role that the address of the page Assign role names."""
    settled(page)
    page.get_by_role("button", name="Plan assignment").click(timeout=30_000)
    settled(page)
    return page.get_by_role("dialog")


def test_a_request_is_declined_with_a_reason(browser: Browser, team: Team) -> None:
    role = "Container Registry Repository Writer"
    wanted = f"/assign?{quote(f'registry=contosopayments&role={role}&principal={DEVELOPERS}&kind=Group', safe='=&')}"
    asking = signed_in(browser, team, DEVELOPER, wanted)
    planned(asking).get_by_role("button", name="Send request").click()
    expect(asking.get_by_text("Request sent")).to_be_visible()
    doing = signed_in(browser, team, ENGINEER, wanted)
    left_open = doing.context.new_page()
    left_open.goto(f"{team.address}{wanted}")
    dialogs = [planned(page) for page in (doing, left_open)]
    for page, dialog in zip((doing, left_open), dialogs, strict=True):
        dialog.get_by_text("Decline the request").click()
        expect(dialog.get_by_text("Requested by payments-developer")).to_be_visible()
        dialog.get_by_label("Reason").fill("Use the pipeline.")
        dialog.get_by_label("Reason").press("Enter")
        settled(page)
    dialogs[0].get_by_role("button", name="Decline request").click()
    expect(doing.get_by_text("1 request declined.")).to_be_visible()
    dialogs[1].get_by_role("button", name="Decline request").click()
    expect(left_open.get_by_text("It was declined already.")).to_be_visible()
    asking.goto(f"{team.address}/deletions")
    expect(asking.get_by_text("Use the pipeline.")).to_be_visible()
    expect(asking.get_by_text("You asked")).to_have_count(0)
    for page in (asking, doing):
        page.context.close()


def test_a_cluster_is_attached_by_a_request(browser: Browser, team: Team) -> None:
    pair = "/aks?cluster=aks-secure&registry=contosopayments"
    asking = signed_in(browser, team, DEVELOPER, pair)
    expect(asking.get_by_text("aks-secure can't pull from contosopayments")).to_be_visible(timeout=30_000)
    settled(asking)
    asking.get_by_role("button", name="Attach registry").click()
    settled(asking)
    dialog = asking.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Attach registry")).to_be_disabled()
    dialog.get_by_role("button", name="Send request").click()
    expect(asking.get_by_text("Request sent")).to_be_visible()
    asking.goto(f"{team.address}/deletions")
    expect(asking.get_by_text("You asked")).to_be_visible()
    doing = signed_in(browser, team, ENGINEER, "/deletions")
    expect(doing.get_by_role("heading", name="Requests")).to_be_visible(timeout=30_000)
    settled(doing)
    ((title, sender, *_),) = cells(doing)[1:]
    assert title.startswith("Kubelet identity of the cluster aks-secure: ")
    assert sender == "payments-developer@contoso.example"
    click_name(doing, title)
    settled(doing)
    expect(doing.get_by_text("Requested by payments-developer")).to_be_visible()
    doing.get_by_role("button", name="Plan assignment").click(timeout=30_000)
    settled(doing)
    doing.get_by_role("dialog").get_by_role("button", name="Assign role").click()
    expect(doing.get_by_text("created and verified")).to_be_visible(timeout=30_000)
    asking.reload()
    settled(asking)
    expect(asking.get_by_text("You asked")).to_have_count(0)
    expect(asking.get_by_text("Done by ")).to_be_visible()
    asking.goto(f"{team.address}{pair}")
    settled(asking)
    asking.get_by_role("button", name="Check again").click()
    expect(asking.get_by_text("aks-secure can't pull from contosopayments")).to_have_count(0)
    for page in (asking, doing):
        page.context.close()


def test_a_sign_out_ends_every_tab_and_the_cookie(browser: Browser, team: Team) -> None:
    page = signed_in(browser, team, AUDITOR)
    stolen = cookie_of(page)
    other = page.context.new_page()
    other.goto(f"{team.address}/skus")
    settled(other)
    open_identity(page)
    expect(page.get_by_text("registry-auditor@")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()
    expect(other.get_by_role("heading", name="Your sign-in has ended")).to_be_visible(timeout=15_000)
    assert all(cookie["name"] != COOKIE for cookie in page.context.cookies())
    answer = requests.get(
        f"{team.address}/skus", headers={"Accept": "text/html", "Cookie": f"{COOKIE}={stolen}"},
        allow_redirects=False, timeout=10,
    )  # fmt: skip
    assert answer.status_code == 303
    told, code = said_on_websocket(team, {"Cookie": f"{COOKIE}={stolen}"})
    assert code == 4401
    assert "/auth/ended" in told
    other.get_by_role("link", name="Sign in again").click()
    other.get_by_role("button", name=AUDITOR).click()
    settled(other)
    assert other.url == f"{team.address}/skus"
    page.context.close()


def test_what_only_the_person_can_mend_is_mended_in_place(browser: Browser, team: Team) -> None:
    page = signed_in(browser, team, ENGINEER, "/registry?registry=contosohub")
    with closing(sqlite3.connect(team.database, timeout=10)) as db, db:
        db.execute("UPDATE accounts SET tokens = X'00', version = version + 1")  # As after the keys have changed.
    page.reload()
    expect(page.get_by_text("must sign in again")).to_be_visible(timeout=20_000)
    expect(page.get_by_text("az login")).to_have_count(0)
    settled(page)
    page.get_by_role("button", name="Sign in again").click()
    page.get_by_role("button", name=ENGINEER).click()
    settled(page)
    assert page.url.startswith(f"{team.address}/registry?registry=contosohub")
    expect(page.get_by_role("heading", name="contosohub")).to_be_visible(timeout=20_000)
    page.context.close()


def test_a_stranger_s_websocket_starts_no_session(team: Team) -> None:
    for headers in ({}, {"X-Acr-Console-Account": "tenant/anyone"}, {"Cookie": f"{COOKIE}=made-up"}):
        told, code = said_on_websocket(team, headers)
        assert code == 4401
        assert told.strip() == 'auth_redirect {\n  url: "/auth/ended"\n}'


def test_a_forged_header_makes_nobody_another_person(browser: Browser, team: Team) -> None:
    page = signed_in(browser, team, DEVELOPER)
    cookie = {"Cookie": f"{COOKIE}={cookie_of(page)}", "X-Acr-Console-Account": "tenant/another"}
    told, code = said_on_websocket(team, cookie)
    assert code is None
    assert DEVELOPER in told
    page.context.close()


def test_a_session_is_not_resumed_for_another_person(browser: Browser, team: Team) -> None:
    own = signed_in(browser, team, ENGINEER)
    stranger = signed_in(browser, team, DEVELOPER)
    ids: list[str] = []
    own.on("websocket", lambda socket: socket.on("framereceived", lambda data: ids.extend(session_ids(data))))
    own.reload()
    settled(own)
    assert ids
    own.goto("about:blank")  # Its session waits for it to come back.
    told, _code = said_on_websocket(team, {"Cookie": f"{COOKIE}={cookie_of(stranger)}"}, ids[0])
    assert ids[0] not in told
    assert ENGINEER not in told
    own.context.close()
    stranger.context.close()


def session_ids(data: str | bytes) -> list[str]:
    message = ForwardMsg.FromString(data) if isinstance(data, bytes) else ForwardMsg()
    found = message.new_session.initialize.session_id
    return [found] if found else []


def test_the_log_has_who_signed_in(team: Team) -> None:
    with closing(sqlite3.connect(team.database, timeout=10)) as db:
        entries = [json.loads(text) for (text,) in db.execute("SELECT entry FROM audit ORDER BY number")]
    assert {one["what"] for one in entries} >= {"signed in", "signed out"}
    assert "platform-admin@contoso.example" in {one.get("login") for one in entries}


def test_another_address_of_the_console_leads_to_the_public_one(browser: Browser, team: Team) -> None:
    page = signed_in(browser, team, AUDITOR, "/skus", team.address.replace("localhost", "127.0.0.1"))
    assert page.url == f"{team.address}/skus"
    page.context.close()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    """Where Azure is asked as the console's own identity."""
    data = tmp_path_factory.mktemp("shared")
    port = free_port()
    settings = {
        "ACR_CONSOLE_SIGN_IN": "entra-shared",
        "ACR_CONSOLE_PUBLIC_URL": f"http://localhost:{port}",
        "ACR_CONSOLE_KEYS": Fernet.generate_key().decode(),
        "ACR_CONSOLE_DATABASE": f"sqlite:///{data / 'team.db'}",
    }
    with console_process(data, port=port, **settings) as (address, _process):
        yield Team(address, data / "team.db")


def test_app_roles_decide_where_azure_is_asked_as_the_console(browser: Browser, shared: Team) -> None:
    image = "/image?registry=casaacr01&repository=nodejstemplate&reference=v1.0.0"
    for who, changes in ((DEVELOPER, False), (AUDITOR, False), (ENGINEER, True)):
        page = signed_in(browser, shared, who, image)
        button = page.get_by_role("button", name="Add tag")
        expect(button).to_be_enabled(timeout=30_000) if changes else expect(button).to_be_disabled(timeout=30_000)
        expect(page.get_by_text("Changes need Console.Operator")).to_have_count(0 if changes else 1)
        expect(page.get_by_test_id("stSidebar").get_by_text("Azure is asked as console")).to_be_visible()
        page.goto(f"{shared.address}/tokens?registry=casaacr01")
        expect(page.get_by_role("button", name="Create token")).to_be_disabled(timeout=30_000)
        page.context.close()


def test_without_an_app_role_nothing_is_shown(browser: Browser, shared: Team) -> None:
    page = window(browser)
    page.goto(f"{shared.address}/inventory")
    page.get_by_role("button", name="Payments lead").click()
    expect(page.get_by_role("heading", name="You have no role in this console")).to_be_visible()
    page.goto(f"{shared.address}/registry?registry=casaacr01")
    expect(page.get_by_role("heading", name="You have no role in this console")).to_be_visible()
    page.context.close()
