"""The routes of the sign-in, with the sandbox's Entra between login and callback: what a browser is given and told."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from cryptography.fernet import Fernet
from sqlalchemy import Engine, select, text
from starlette.applications import Starlette

from sandbox.identity.principals import CONSOLE, TENANT_ID
from sandbox.seeds.company import ADMIN, DEVELOPER, LEAD
from sandbox.server import Sandbox
from services.database.tables import audit
from services.sign_in.entra import Entra, Registration
from services.sign_in.store import SignIns, sealing_keys
from tests.support.asgi import Answer, Pairs, ask
from tests.support.databases import sqlite
from tests.ui.runtime.conftest import HOUR
from ui.runtime.auth_routes import MOST_REFUSALS, AuthRoutes
from ui.runtime.gate import COOKIE

PUBLIC = "http://localhost:8501"
KEYS = sealing_keys(Fernet.generate_key().decode())


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with Sandbox.start(tmp_path_factory.mktemp("routes"), "estate") as running:
        running.register_console(f"{PUBLIC}/auth/callback")
        yield running


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Engine]:
    with sqlite(tmp_path) as engine:
        yield engine


@pytest.fixture
def entra(estate: Sandbox, database: Engine) -> Entra:
    ready = estate.ready
    registration = Registration(
        ready["authority"],
        ready["tenant_id"],
        ready["client_id"],
        ready["client_secret"],
        f"{PUBLIC}/auth/callback",
        ready["resource_manager_scope"],
        ready["ca_file"],
        instance_discovery=False,
    )
    return Entra(registration, SignIns(lambda: database, KEYS, HOUR, HOUR, ready["resource_manager"]))


class Browser:
    """One browser: it keeps the cookies that it is given, and goes where it is asked to."""

    def __init__(self, app: Starlette) -> None:
        self._app = app
        self.cookies: dict[str, str] = {}

    def get(self, target: str, headers: Pairs = ()) -> Answer:
        sent = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        answer = ask(self._app, target, [*headers, ("cookie", sent)])
        for name, text_ in answer.cookies.items():
            value, *attributes = text_.split("; ")
            assert {"HttpOnly", "Secure", "SameSite=lax", "Path=/"} <= set(attributes), text_
            if "Max-Age=0" in attributes:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
        return answer

    def begin(self, place: str = "/") -> str:
        """Entra's page."""
        answer = self.get(f"/auth/login?next={place}")
        assert answer.status == 303
        return answer.header("location")

    def sign_in(self, account: str = ADMIN, place: str = "/") -> Answer:
        return self.get(chosen(self.begin(place), account))


def chosen(page: str, account: str) -> str:
    """The callback that Entra sends the browser to."""
    answer = requests.post(page, {"account": account}, allow_redirects=False, timeout=10)
    parts = urlsplit(answer.headers["location"])
    assert f"{parts.scheme}://{parts.netloc}" == PUBLIC
    return f"{parts.path}?{parts.query}"


@pytest.fixture
def signed_out() -> list[str]:
    return []


@pytest.fixture
def app(entra: Entra, signed_out: list[str]) -> Starlette:
    return Starlette(routes=AuthRoutes(lambda: entra, KEYS, PUBLIC, signed_out.append).routes())


@pytest.fixture
def browser(app: Starlette) -> Browser:
    return Browser(app)


def logged(database: Engine) -> list[str]:
    with database.connect() as db:
        return [json.loads(one)["what"] for one in db.execute(select(audit.c.entry)).scalars()]


def test_a_sign_in_leads_back_and_leaves_one_cookie(browser: Browser, entra: Entra) -> None:
    answer = browser.sign_in(place="%2Fregistry%3Fregistry%3Dcontosohub%26x%3Da%2526b")
    assert (answer.status, answer.header("location")) == (303, "/registry?registry=contosohub&x=a%26b")
    assert list(browser.cookies) == [COOKIE]
    assert "Max-Age" not in answer.cookies[COOKIE]  # It goes with the browser.
    found = entra.sign_ins.find(browser.cookies[COOKIE])
    assert found
    assert found.account == f"{TENANT_ID}/{ADMIN}"


def test_the_cookie_holds_nothing_of_entra_s(browser: Browser) -> None:
    page = browser.begin()
    state = page.partition("state=")[2].partition("&")[0]
    assert state not in str(browser.cookies)  # Sealed until it comes back.
    browser.get(chosen(page, ADMIN))
    assert "eyJ" not in str(browser.cookies)


@pytest.mark.parametrize("place", ["//evil.example", "https://evil.example", "/\\evil.example", "/auth/logout"])
def test_a_sign_in_leads_to_no_other_site(browser: Browser, place: str) -> None:
    assert browser.sign_in(place=place).header("location") == "/"


def test_another_browser_can_t_finish_it(app: Starlette, browser: Browser) -> None:
    callback = chosen(browser.begin(), ADMIN)
    stranger = Browser(app)
    answer = stranger.get(callback)
    assert answer.status == 400
    assert COOKIE not in stranger.cookies
    assert "not begun in this browser" in answer.body
    own = Browser(app)
    own.begin()
    assert own.get(callback).status == 400  # Nor with a flow of its own.
    assert COOKIE not in own.cookies
    assert browser.get(callback).status == 303


def test_a_replayed_flow_and_a_forged_state_are_refused(browser: Browser) -> None:
    page = browser.begin()
    before = dict(browser.cookies)
    callback = chosen(page, ADMIN)
    assert browser.get(callback).status == 303
    browser.cookies = before
    assert browser.get(callback).status == 400
    assert COOKIE not in browser.cookies
    assert browser.get("/auth/callback?code=x&state=forged").status == 400


def test_a_flow_sealed_by_another_console_is_nothing(browser: Browser) -> None:
    page = browser.begin()
    other = sealing_keys(Fernet.generate_key().decode())
    (name,) = browser.cookies
    browser.cookies[name] = other.encrypt(KEYS.decrypt(browser.cookies[name].encode())).decode()
    assert browser.get(chosen(page, ADMIN)).status == 400
    old = KEYS.encrypt_at_time(b"{}", 0).decode()
    browser.cookies[name] = old
    assert browser.get(chosen(page, ADMIN)).status == 400


def test_two_tabs_sign_in_at_the_same_time(browser: Browser, entra: Entra) -> None:
    first, second = browser.begin("/registry"), browser.begin("/skus")
    one = browser.get(chosen(second, ADMIN))
    session = entra.sign_ins.find(browser.cookies[COOKIE])
    other = browser.get(chosen(first, ADMIN))
    assert (one.header("location"), other.header("location")) == ("/skus", "/registry")
    after = entra.sign_ins.find(browser.cookies[COOKIE])
    assert session
    assert after
    assert after.id == session.id


def test_whoever_is_signed_in_goes_on_unless_they_ask_to_sign_in_again(browser: Browser, estate: Sandbox) -> None:
    browser.sign_in()
    assert browser.get("/auth/login?next=/skus").header("location") == "/skus"
    assert browser.get("/auth/login?again=1&next=/skus").header("location").startswith(estate.state.people_url)
    assert "prompt=select_account" in browser.get("/auth/login?choose=1").header("location")


def test_what_entra_refuses_is_said_as_text_and_logged(browser: Browser, database: Engine) -> None:
    answer = browser.get(chosen(browser.begin("/skus"), "cancel"))
    assert answer.status == 400
    assert "AADSTS65004" in answer.body
    assert "next=%2Fskus" in answer.body
    assert logged(database) == ["sign-in refused"]
    page = browser.begin()
    state = page.partition("state=")[2].partition("&")[0]
    forged = f"/auth/callback?state={state}&error=x&error_description=%3Cscript%3Ealert(1)%3C/script%3E"
    answer = browser.get(forged)
    assert "<script>" not in answer.body
    assert "&lt;script&gt;" in answer.body


def test_refusals_can_t_fill_the_log(browser: Browser, database: Engine) -> None:
    for _ in range(MOST_REFUSALS + 5):
        state = browser.begin().partition("state=")[2].partition("&")[0]
        assert browser.get(f"/auth/callback?state={state}&error=access_denied").status == 400
    assert len(logged(database)) == MOST_REFUSALS


def test_signing_out_ends_it_everywhere_and_leaves_no_cookie(
    browser: Browser, entra: Entra, database: Engine, signed_out: list[str]
) -> None:
    browser.sign_in()
    stolen = browser.cookies[COOKIE]
    answer = browser.get("/auth/logout", [("sec-fetch-site", "same-origin")])
    assert (answer.status, answer.header("location")) == (303, "/auth/ended?out=1")
    assert not browser.cookies
    assert entra.sign_ins.find(stolen) is None
    assert signed_out == [f"{TENANT_ID}/{ADMIN}"]
    assert logged(database) == ["signed in", "signed out"]
    page = browser.get("/auth/ended?out=1")
    assert 'href="/auth/login?choose=1"' in page.body


def test_signing_out_of_entra_too_comes_back(browser: Browser, estate: Sandbox) -> None:
    browser.sign_in()
    target = browser.get("/auth/logout?everywhere=1").header("location")
    assert target.startswith(estate.state.people_url)
    back = requests.get(target, allow_redirects=False, timeout=10)
    assert back.headers["location"] == f"{PUBLIC}/auth/ended"


def test_asking_for_the_head_alone_does_nothing(entra: Entra) -> None:
    routes = AuthRoutes(lambda: entra, KEYS, PUBLIC, lambda _account: None).routes()
    assert [route.methods for route in routes] == [{"GET"}] * 5


def test_another_site_signs_nobody_out(browser: Browser, entra: Entra) -> None:
    browser.sign_in()
    assert browser.get("/auth/logout", [("sec-fetch-site", "cross-site")]).status == 400
    assert entra.sign_ins.find(browser.cookies[COOKIE])


@pytest.mark.parametrize(
    ("referer", "place"),
    [
        (f"{PUBLIC}/registry?registry=contosohub", "%2Fregistry%3Fregistry%3Dcontosohub"),
        ("https://evil.example/registry", "%2F"),
        (f"{PUBLIC}.evil.example/registry", "%2F"),
        (f"{PUBLIC}//evil.example", "%2F"),
        ("", "%2F"),
    ],
)
def test_the_end_of_a_sign_in_leads_back_to_the_page_that_was_open(browser: Browser, referer: str, place: str) -> None:
    answer = browser.get("/auth/ended", [("referer", referer)])
    assert answer.status == 200
    assert f'href="/auth/login?next={place}"' in answer.body


def test_another_person_in_the_same_browser_ends_the_first_one_s(browser: Browser, entra: Entra) -> None:
    browser.sign_in()
    first = browser.cookies[COOKIE]
    browser.get(chosen(browser.get("/auth/login?choose=1").header("location"), DEVELOPER))
    assert entra.sign_ins.find(first) is None
    found = entra.sign_ins.find(browser.cookies[COOKIE])
    assert found
    assert found.login == "payments-developer@contoso.example"


def test_an_unreachable_database_is_said(browser: Browser, database: Engine) -> None:
    callback = chosen(browser.begin(), ADMIN)
    with database.begin() as db:
        db.execute(text("DROP TABLE audit"))
    answer = browser.get(callback)
    assert answer.status == 503
    assert "not possible now" in answer.body
    assert "database does not answer. Try again" in answer.body
    assert "audit" not in answer.body, "what the driver says is for the log alone"
    assert COOKIE not in browser.cookies


def test_a_sign_out_that_cannot_be_recorded_is_said_and_leaves_the_browser(browser: Browser, database: Engine) -> None:
    browser.sign_in()
    with database.begin() as db:
        db.execute(text("DROP TABLE audit"))
    answer = browser.get("/auth/logout")
    assert answer.status == 503
    assert "Your sign-out could not be recorded" in answer.body
    assert "close the browser" in answer.body
    assert "ACR_CONSOLE_DATA" not in answer.body
    assert COOKIE not in browser.cookies
    assert browser.get("/auth/logout?everywhere=1").status == 303


def test_whoever_has_no_app_role_reads_which_and_whom_to_ask(browser: Browser) -> None:
    browser.sign_in(LEAD)
    page = browser.get("/auth/no-role")
    assert page.status == 403
    for said in ("payments-lead@contoso.example", "Console.Viewer", "Users and groups", CONSOLE.app_id):
        assert said in page.body
    browser.cookies.clear()
    browser.sign_in(DEVELOPER)
    assert browser.get("/auth/no-role").header("location") == "/"
