"""The gate, asked without a server or a browser: what passes it, as whom, and until when."""

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Engine, text
from starlette.types import Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from services.connection.write_permission import ALLOWED, WritePermission
from services.sign_in.app_roles import AppRole
from services.sign_in.store import Person, SignIns
from tests.support.asgi import Websocket, ask
from ui.elements.write_permission import HEADER, as_header
from ui.runtime.gate import COOKIE, NO_DATABASE, Gate
from ui.runtime.own_headers import sign_in_of
from ui.runtime.write_access import WriteAccess

PUBLIC = "https://console.example"
PAGE = ("accept", "text/html,application/xhtml+xml")


class Inner:
    """What stands behind the gate: it notes what reaches it, and keeps a websocket open until it is closed."""

    def __init__(self) -> None:
        self.scopes: list[Scope] = []
        self.received: list[Message] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scopes.append(scope)
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"inside"})
            return
        while (message := await receive())["type"] != "websocket.disconnect":
            self.received.append(message)
            if message["type"] == "websocket.connect":
                await send({"type": "websocket.accept"})

    @property
    def headers(self) -> dict[bytes, bytes]:
        return dict(self.scopes[-1]["headers"])


@pytest.fixture
def inner() -> Inner:
    return Inner()


@pytest.fixture
def signed_out() -> list[str]:
    return []


@pytest.fixture
def gate(inner: Inner, sign_ins: SignIns, signed_out: list[str]) -> Gate:
    return Gate(
        WriteAccess(inner),
        sign_ins=lambda: sign_ins,
        public_url=PUBLIC,
        check=timedelta(seconds=0.05),
        signed_out=signed_out.append,
    )


def with_cookie(value: str) -> tuple[str, str]:
    return "cookie", f"other=1; {COOKIE}={value}"


@pytest.mark.parametrize(
    ("target", "wanted"),
    [
        ("/", "%2F"),
        ("/registry?registry=contosohub&x=a%26b", "%2Fregistry%3Fregistry%3Dcontosohub%26x%3Da%2526b"),
        ("/cost-review?month=2026-10", "%2Fcost-review%3Fmonth%3D2026-10"),
    ],
)
def test_a_page_leads_through_the_sign_in_back_to_itself(gate: Gate, inner: Inner, target: str, wanted: str) -> None:
    answer = ask(gate, target, [PAGE])
    assert (answer.status, answer.header("location")) == (303, f"{PUBLIC}/auth/login?next={wanted}")
    assert answer.header("cache-control") == "no-store"
    assert not inner.scopes


@pytest.mark.parametrize(
    ("method", "target", "headers"),
    [
        ("GET", "/_stcore/metrics", [PAGE]),
        ("GET", "/media/picture.png", [("accept", "image/*"), ("sec-fetch-dest", "image")]),
        ("GET", "/download/ticket", [PAGE]),
        ("GET", "/static/js/index.js", []),
        ("POST", "/_stcore/upload_file/session/file", [PAGE]),
        ("GET", "/registry", []),
        ("GET", "/registry", [PAGE, ("sec-fetch-dest", "iframe")]),
        ("GET", "/auth/loginx", []),
        ("GET", "/auth/login/../../registry", []),
        ("GET", "/_stcore/health/../metrics", []),
    ],
)
def test_anything_else_is_refused(
    gate: Gate, inner: Inner, method: str, target: str, headers: list[tuple[str, str]]
) -> None:
    assert ask(gate, target, headers, method).status == 401
    assert not inner.scopes


@pytest.mark.parametrize("target", ["/auth/login", "/auth/callback?code=x", "/brand/logo.svg", "/_stcore/health"])
def test_the_sign_in_itself_is_open_to_all_and_nobody_is_passed_on(gate: Gate, inner: Inner, target: str) -> None:
    forged = [("X-Acr-Console-Account", "tenant/engineer"), ("x_acr_console_account", "tenant/engineer")]
    assert ask(gate, target, forged).body == "inside"
    assert not [name for name in inner.headers if b"acr" in name]
    assert sign_in_of(inner.scopes[0]) is None


def test_whoever_is_signed_in_is_passed_on_whatever_they_claim(gate: Gate, inner: Inner, cookie: str) -> None:
    forged = [
        ("X-Acr-Console-Account", "tenant/admin"),
        (HEADER, as_header(ALLOWED).decode()),
        ("x-acr-console-roles", "Console.Auditor"),
    ]
    assert ask(gate, "/registry", [with_cookie(cookie), *forged]).body == "inside"
    assert inner.headers[b"x-acr-console-account"] == b"tenant/engineer"
    own = [(name, value) for name, value in inner.scopes[0]["headers"] if b"acr-console" in name]
    assert own == [(b"x-acr-console-account", b"tenant/engineer"), (b"x-acr-console-roles", b"")]
    found = sign_in_of(inner.scopes[0])
    assert found
    assert found.account == "tenant/engineer"


def test_a_cookie_of_one_s_own_making_is_nobody_s(gate: Gate, cookie: str) -> None:
    for value in ("made-up", cookie.swapcase(), "", '"', "a" * 10_000, "ä"):
        assert ask(gate, "/media/x", [with_cookie(value)]).status == 401


@pytest.mark.parametrize("neighbour", ['prefs={"a":1}', "x=a b", "a[b]=c", "flag", "=", "x=ä"])
def test_a_neighbour_s_odd_cookie_signs_nobody_out(gate: Gate, cookie: str, neighbour: str) -> None:
    asked = ("cookie", f"{neighbour}; {COOKIE}={cookie}; {neighbour}")
    assert ask(gate, "/registry", [asked, PAGE]).status == 200


def test_a_cookie_is_worth_nothing_after_the_sign_out(gate: Gate, sign_ins: SignIns, cookie: str) -> None:
    assert ask(gate, "/registry", [with_cookie(cookie), PAGE]).status == 200
    sign_ins.end(cookie)
    assert ask(gate, "/registry", [with_cookie(cookie), PAGE]).status == 303
    assert ask(gate, "/media/x", [with_cookie(cookie)]).status == 401


def test_without_its_database_it_passes_nobody_and_says_why(
    gate: Gate, inner: Inner, database: Engine, cookie: str
) -> None:
    with database.begin() as db:
        db.execute(text("ALTER TABLE sign_ins RENAME TO elsewhere"))
    answer = ask(gate, "/registry", [with_cookie(cookie), PAGE])
    assert answer.status == 503
    assert answer.body == NO_DATABASE
    assert not inner.scopes


def run(work: Callable[[], object]) -> None:
    asyncio.run(work())  # type: ignore[arg-type]


@pytest.mark.parametrize("headers", [[], [with_cookie("expired")]])
def test_a_stranger_s_websocket_is_sent_away_before_there_is_a_session(
    gate: Gate, inner: Inner, headers: list[tuple[str, str]]
) -> None:
    async def work() -> None:
        async with Websocket(gate, [("origin", PUBLIC), *headers]) as socket:
            closed = await socket.next("websocket.close")
            assert closed["code"] == 4401
            message = ForwardMsg.FromString((await socket.next("websocket.send"))["bytes"])
            assert message.auth_redirect.url == "/auth/ended"

    run(work)
    assert not inner.scopes


@pytest.mark.parametrize("origin", ["https://evil.example", "http://console.example", f"{PUBLIC}.evil.example", "null"])
def test_another_site_s_websocket_is_refused_with_the_person_s_own_cookie(
    gate: Gate, inner: Inner, cookie: str, origin: str
) -> None:
    async def work() -> None:
        async with Websocket(gate, [("origin", origin), with_cookie(cookie)]) as socket:
            assert (await socket.next("websocket.close"))["code"] == 1008
            assert [one["type"] for one in socket.sent] == ["websocket.close"]  # Not accepted: 403.

    run(work)
    assert not inner.scopes


def test_a_signed_in_person_may_change_azure_behind_any_proxy(gate: Gate, inner: Inner, cookie: str) -> None:
    proxied = [("x-forwarded-for", "203.0.113.9"), ("x-forwarded-proto", "https"), ("host", "console.example")]

    async def work() -> None:
        async with Websocket(gate, [("origin", PUBLIC), with_cookie(cookie), *proxied]) as socket:
            await socket.next("websocket.accept")

    run(work)
    assert inner.headers[HEADER.encode()] == as_header(ALLOWED)
    assert inner.headers[b"x-acr-console-account"] == b"tenant/engineer"


def test_an_open_page_ends_when_another_tab_or_process_signs_out(
    gate: Gate, inner: Inner, sign_ins: SignIns, signed_out: list[str], cookie: str
) -> None:
    async def work() -> None:
        async with Websocket(gate, [("origin", PUBLIC), with_cookie(cookie)]) as socket:
            await socket.next("websocket.accept")
            await asyncio.to_thread(sign_ins.end, cookie)
            assert (await socket.next("websocket.close"))["code"] == 4401
            message = ForwardMsg.FromString((await socket.next("websocket.send"))["bytes"])
            assert message.auth_redirect.url == "/auth/ended"

    run(work)
    assert signed_out == ["tenant/engineer"]
    assert [one["type"] for one in inner.received] == ["websocket.connect"]


def test_the_tab_that_signs_out_and_leaves_is_not_led_elsewhere(
    gate: Gate, inner: Inner, sign_ins: SignIns, signed_out: list[str], cookie: str
) -> None:
    async def work() -> None:
        async with Websocket(gate, [("origin", PUBLIC), with_cookie(cookie)]) as socket:
            await socket.next("websocket.accept")
            await asyncio.to_thread(sign_ins.end, cookie)
            async with asyncio.timeout(10):
                while not signed_out:
                    await asyncio.sleep(0.01)
        assert [one["type"] for one in socket.sent] == ["websocket.accept"]

    run(work)
    assert [one["type"] for one in inner.received] == ["websocket.connect"]


def test_whoever_is_signed_in_elsewhere_keeps_their_session(
    gate: Gate, sign_ins: SignIns, signed_out: list[str], cookie: str
) -> None:
    sign_ins.begin("tenant/engineer", Person("Engineer", "e@contoso.example"), "tokens", None)

    async def work() -> None:
        async with Websocket(gate, [("origin", PUBLIC), with_cookie(cookie)]) as socket:
            await socket.next("websocket.accept")
            await asyncio.to_thread(sign_ins.end, cookie)
            await socket.next("websocket.close")

    run(work)
    assert not signed_out


def test_an_open_page_ends_with_its_time(gate: Gate, database: Engine, cookie: str) -> None:
    async def work() -> None:
        async with Websocket(gate, [("origin", PUBLIC), with_cookie(cookie)]) as socket:
            await socket.next("websocket.accept")
            with database.begin() as db:
                db.execute(text("UPDATE sign_ins SET ends = begun"))
            assert (await socket.next("websocket.close"))["code"] == 4401

    run(work)


def test_a_database_that_fails_for_a_while_signs_nobody_out(gate: Gate, database: Engine, cookie: str) -> None:
    async def work() -> None:
        async with Websocket(gate, [("origin", PUBLIC), with_cookie(cookie)]) as socket:
            await socket.next("websocket.accept")
            with database.begin() as db:
                db.execute(text("ALTER TABLE sign_ins RENAME TO elsewhere"))
            await asyncio.sleep(0.3)  # Several looks fail meanwhile.
            assert [one["type"] for one in socket.sent] == ["websocket.accept"]
            with database.begin() as db:
                db.execute(text("ALTER TABLE elsewhere RENAME TO sign_ins"))

    run(work)


def seen(database: Engine) -> str:
    with database.connect() as db:
        return str(db.execute(text("SELECT seen FROM sign_ins")).scalar_one())


@pytest.mark.parametrize("by_timer", [True, False])
def test_only_what_a_person_does_keeps_the_sign_in(
    gate: Gate, inner: Inner, database: Engine, cookie: str, monkeypatch: pytest.MonkeyPatch, by_timer: bool
) -> None:
    monkeypatch.setattr("ui.runtime.gate.SEEN_EVERY", timedelta())
    monkeypatch.setattr("services.sign_in.store.SEEN_EVERY", timedelta())
    message = BackMsg()
    message.rerun_script.is_auto_rerun = by_timer
    before = seen(database)

    async def work() -> None:
        async with Websocket(gate, [("origin", PUBLIC), with_cookie(cookie)]) as socket:
            await socket.next("websocket.accept")
            socket.say(message.SerializeToString())
            async with asyncio.timeout(10):
                while len(inner.received) < 2:
                    await asyncio.sleep(0.01)

    run(work)
    assert (seen(database) == before) is by_timer


@pytest.fixture
def shared_gate(inner: Inner, sign_ins: SignIns, signed_out: list[str]) -> Gate:
    """Of a console where app roles decide."""
    return Gate(
        WriteAccess(inner, shared=True),
        sign_ins=lambda: sign_ins,
        public_url=PUBLIC,
        check=timedelta(seconds=0.05),
        signed_out=signed_out.append,
        needs_role=True,
    )


def test_whoever_has_no_app_role_passes_nowhere(shared_gate: Gate, inner: Inner, cookie: str) -> None:
    page = ask(shared_gate, "/registry?registry=r", [PAGE, with_cookie(cookie)])
    assert (page.status, page.header("location")) == (303, f"{PUBLIC}/auth/no-role")
    assert ask(shared_gate, "/download/x", [with_cookie(cookie)]).status == 403

    async def work() -> None:
        async with Websocket(shared_gate, [("origin", PUBLIC), with_cookie(cookie)]) as socket:
            sent = await socket.next("websocket.send")
            assert ForwardMsg.FromString(sent["bytes"]).auth_redirect.url == "/auth/no-role"
            await socket.next("websocket.close")

    run(work)
    assert not inner.scopes


@pytest.mark.parametrize(
    ("roles", "changes", "access"),
    [
        ((AppRole.VIEWER,), False, False),
        ((AppRole.AUDITOR,), False, False),
        ((AppRole.OPERATOR,), True, False),
        ((AppRole.OPERATOR, AppRole.AUDITOR), True, False),
    ],
)
def test_app_roles_say_what_may_be_changed(
    shared_gate: Gate, inner: Inner, sign_ins: SignIns, roles: tuple[AppRole, ...], changes: bool, access: bool
) -> None:
    value = sign_ins.begin("tenant/engineer", Person("Engineer", "engineer"), "", None, roles)

    async def work() -> None:
        async with Websocket(shared_gate, [("origin", PUBLIC), with_cookie(value)]) as socket:
            await socket.next("websocket.accept")

    run(work)
    permission = WritePermission(**json.loads(inner.headers[HEADER.encode()]))
    assert (permission.allowed, not permission.access_reason) == (changes, access)
    assert inner.headers[b"x-acr-console-roles"].decode() == ",".join(roles)


def test_an_open_page_ends_when_the_sign_in_is_renewed_with_other_roles(
    shared_gate: Gate, inner: Inner, sign_ins: SignIns
) -> None:
    value = sign_ins.begin("tenant/engineer", Person("Engineer", "engineer"), "", None, [AppRole.OPERATOR])

    async def work() -> None:
        async with Websocket(shared_gate, [("origin", PUBLIC), with_cookie(value)]) as socket:
            await socket.next("websocket.accept")
            sign_ins.begin("tenant/engineer", Person("Engineer", "engineer"), "", value, [AppRole.VIEWER])
            assert (await socket.next("websocket.close"))["code"] == 4401

    run(work)
    assert inner.scopes
