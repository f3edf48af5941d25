"""The routes of the sign-in: to Entra and back, out, and what is said in between. They come before Streamlit's own."""

import html
import json
import logging
from collections import deque
from collections.abc import Callable, Mapping
from datetime import timedelta
from hashlib import sha256
from time import monotonic
from typing import Any
from urllib.parse import quote, urlsplit

from azure.core.exceptions import AzureError
from cryptography.fernet import InvalidToken, MultiFernet
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from services.connection.errors import ServiceError, from_azure
from services.sign_in.app_roles import AppRole
from services.sign_in.entra import Entra, RefusedSignIn
from services.sign_in.store import SignIn
from ui.runtime.gate import COOKIE, ENDED, NO_DATABASE, NO_ROLE, NO_STORE, cookie_of
from ui.runtime.safe_next import safe_next

FLOW_VALID = timedelta(minutes=10)
# Refused sign-ins are logged for all that anyone may cause them: so many a minute are recorded.
MOST_REFUSALS = 20
_FLOW_COOKIE = "__Host-acr-console-flow-"
# What is needed to finish, of what MSAL has: the rest is long, and browsers limit cookies.
_FLOW_MEMBERS = ("state", "nonce", "code_verifier", "redirect_uri", "scope", "claims_challenge")
_COOKIE: dict[str, Any] = {"path": "/", "secure": True, "httponly": True, "samesite": "lax"}
_LOG = logging.getLogger("acr_console")


class AuthRoutes:
    """`entra` gives Entra once the application has started; `signed_out` is as in Gate."""

    def __init__(
        self, entra: Callable[[], Entra], keys: MultiFernet, public_url: str, signed_out: Callable[[str], None]
    ) -> None:
        self._entra = entra
        self._keys = keys
        self._public_url = public_url
        self._signed_out = signed_out
        self._refusals: deque[float] = deque(maxlen=MOST_REFUSALS)

    def routes(self) -> list[Route]:
        """All of them, GET alone: HEAD must not sign anyone out."""
        handlers = {"login": self.login, "callback": self.callback, "logout": self.logout, "ended": self.ended}
        found = [Route(f"/auth/{name}", _answered(handler)) for name, handler in handlers.items()]
        found.append(Route(NO_ROLE, _answered(self.no_role)))
        for route in found:
            route.methods = {"GET"}  # Starlette adds HEAD.
        return found

    def login(self, request: Request) -> Response:
        """Sends the browser to Entra; `again` and `choose` also where it is signed in."""
        asked = request.query_params
        place = safe_next(asked.get("next", "/"))
        here = self._entra().sign_ins.find(cookie_of(request.scope))
        if here and not (asked.get("again") or asked.get("choose")):
            return RedirectResponse(place, 303, NO_STORE)
        known = (here.account, here.login) if here and not asked.get("choose") else ("", "")
        flow = self._entra().begin(account=known[0], login=known[1], choose=bool(asked.get("choose")))
        kept = {name: flow[name] for name in _FLOW_MEMBERS if name in flow} | {"next": place}
        sealed = self._keys.encrypt(json.dumps(kept).encode()).decode()
        response = RedirectResponse(flow["auth_uri"], 303, NO_STORE)
        response.set_cookie(_flow_cookie(flow["state"]), sealed, max_age=int(FLOW_VALID.total_seconds()), **_COOKIE)
        return response

    def callback(self, request: Request) -> Response:
        """Where Entra sends the browser back to. Only the browser that began the sign-in can finish it."""
        answer = dict(request.query_params)
        name = _flow_cookie(answer.get("state", ""))
        flow = self._flow(request.cookies.get(name, ""))
        if flow is None:
            return _page(
                "You are not signed in",
                "This sign-in was not begun in this browser, or longer than 10 minutes ago.",
                {"Sign in": "/auth/login"},
                400,
            )
        try:
            value = self._entra().finish(flow, answer, cookie_of(request.scope))
        except RefusedSignIn as refused:
            self._record(refused)
            links = {"Sign in": f"/auth/login?choose=1&next={quote(flow['next'], safe='')}"}
            response = _page("You are not signed in", str(refused), links, 400)
            response.delete_cookie(name, **_COOKIE)
            return response
        response = RedirectResponse(safe_next(flow["next"]), 303, NO_STORE)
        response.delete_cookie(name, **_COOKIE)
        response.set_cookie(COOKIE, value, **_COOKIE)
        return response

    def logout(self, request: Request) -> Response:
        """Ends this browser's sign-in; with `everywhere` it goes on to sign out of Entra."""
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return _page("You are still signed in", "Another site asked to sign you out.", {"Back": "/"}, 400)
        cookie = cookie_of(request.scope)
        try:
            ended = self._entra().sign_ins.end(cookie) if cookie else None
        except ServiceError as error:
            return _unrecorded_logout(error)
        if ended:
            self._drop(ended)
        everywhere = request.query_params.get("everywhere")
        target = self._entra().end_session_uri(f"{self._public_url}{ENDED}") if everywhere else f"{ENDED}?out=1"
        response = RedirectResponse(target, 303, NO_STORE)
        response.delete_cookie(COOKIE, **_COOKIE)
        return response

    def ended(self, request: Request) -> Response:
        """Says that the sign-in has ended, with a way back to the page that was open."""
        if request.query_params.get("out"):
            links = {"Sign in": "/auth/login?choose=1", "Sign out of Microsoft Entra too": "/auth/logout?everywhere=1"}
            return _page("You are signed out", "All tabs of this browser are signed out of ACR Console.", links)
        came_from = urlsplit(request.headers.get("referer", ""))
        own = f"{came_from.scheme}://{came_from.netloc}".lower() == self._public_url
        place = safe_next(came_from.path + (f"?{came_from.query}" if came_from.query else "")) if own else "/"
        links = {"Sign in again": f"/auth/login?next={quote(place, safe='')}"}
        return _page("Your sign-in has ended", "You were signed out, or away for too long.", links)

    def no_role(self, request: Request) -> Response:
        """Says which app role is missing, and whom to ask."""
        here = self._entra().sign_ins.find(cookie_of(request.scope))
        if here is None or here.roles:
            return RedirectResponse("/", 303, NO_STORE)
        why = (
            f"{here.login} has none of the app roles {', '.join(AppRole)}. Ask whoever assigns them in Microsoft Entra "
            f"(Enterprise applications, application id {self._entra().registration.client_id}, Users and groups), then "
            "sign in again."
        )
        links = {"Sign in again": "/auth/login?again=1", "Use another account": "/auth/login?choose=1"}
        return _page("You have no role in this console", why, {**links, "Sign out": "/auth/logout"}, 403)

    def _flow(self, sealed: str) -> Mapping[str, Any] | None:
        try:
            valid_s = int(FLOW_VALID.total_seconds())
            found: Mapping[str, Any] = json.loads(self._keys.decrypt(sealed.encode(), ttl=valid_s))
        except (InvalidToken, ValueError):
            return None
        return found

    def _drop(self, ended: SignIn) -> None:
        if not self._entra().sign_ins.signed_in(ended.account):
            self._signed_out(ended.account)

    def _record(self, refused: RefusedSignIn) -> None:
        now = monotonic()
        if len(self._refusals) == MOST_REFUSALS and now - self._refusals[0] < 60:
            _LOG.warning("a sign-in was refused: %s", refused.code)
            return
        self._refusals.append(now)
        self._entra().sign_ins.refuse(refused.code)


def _answered(handler: Callable[[Request], Response]) -> Callable[[Request], Response]:
    """The handler, with a page for what Entra or the database can't do now."""

    def answer(request: Request) -> Response:
        try:
            return handler(request)
        except (AzureError, ServiceError) as error:
            title = "The sign-in is not possible now"
            known = error if isinstance(error, ServiceError) else from_azure(title, error)
            _LOG.warning("%s", known)
            why = NO_DATABASE if known.code == "NoDatabase" else f"{known.cause} {known.remedy}"
            return _page(title, why, {"Try again": "/auth/login"}, 503)

    answer.__name__ = handler.__name__
    return answer


def _unrecorded_logout(error: ServiceError) -> Response:
    """Without the database the sign-in stays there: only this browser forgets it."""
    _LOG.warning("%s", error)
    why = (
        "The console's database could not record it. The cookie is deleted in this browser, so that a new tab has to "
        "sign in; tabs that are open go on, so close the browser. The sign-in itself ends by its time."
    )
    links = {"Sign out of Microsoft Entra too": "/auth/logout?everywhere=1", "Sign in": "/auth/login?choose=1"}
    response = _page("Your sign-out could not be recorded", why, links, 503)
    response.delete_cookie(COOKIE, **_COOKIE)
    return response


def _flow_cookie(state: str) -> str:
    """Tabs may sign in at the same time, each with a cookie of its own."""
    return f"{_FLOW_COOKIE}{sha256(state.encode()).hexdigest()[:12]}"


_STYLE = """
:root{color-scheme:light dark;--text:#07171b;--page:#fbfcfc;--line:#d3dfe1;--accent:#0f5c6e;--on-accent:#fff}
@media(prefers-color-scheme:dark){:root{--text:#dfe9ea;--page:#030506;--line:#263a40;--accent:#1f8197}}
@font-face{font-family:"Plex Sans";src:url("/brand/fonts/plex-sans.woff2");font-weight:100 700}
body{margin:0;background:var(--page);color:var(--text);font:14px/1.6 "Plex Sans",sans-serif}
header{background:#0c2a33;padding:.75rem 1.25rem}header img{display:block;height:32px}
main{max-width:28rem;margin:14vh auto 0;padding:0 1.25rem}h1{font-size:1.75rem;line-height:1.2;font-weight:600}
nav{display:flex;flex-wrap:wrap;gap:.75rem;margin-top:1.5rem}
a{padding:.4rem .9rem;border:1px solid var(--line);border-radius:.35rem;color:inherit;text-decoration:none}
a:first-child{background:var(--accent);border-color:var(--accent);color:var(--on-accent)}
a:hover,a:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
"""


def _page(title: str, why: str, links: Mapping[str, str], status: int = 200) -> Response:
    anchors = "".join(f'<a href="{html.escape(to)}">{html.escape(label)}</a>' for label, to in links.items())
    body = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f'<title>{title} · ACR Console</title><link rel="icon" href="/brand/favicon.png"><style>{_STYLE}</style>'
        f'<header><img src="/brand/logo.svg" alt="ACR Console"></header>'
        f"<main><h1>{title}</h1><p>{html.escape(why)}</p><nav>{anchors}</nav></main></html>"
    )
    return HTMLResponse(body, status, NO_STORE)
