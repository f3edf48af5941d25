"""Sign-in of people: the page that lists them, the authorization code and refresh grants, and signing out.

https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow
https://learn.microsoft.com/entra/identity-platform/v2-protocols-oidc
"""

from __future__ import annotations

import hashlib
import hmac
import html
import json
from typing import Any
from urllib.parse import parse_qs, urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from sandbox.entra.refusals import Refused
from sandbox.identity.id_tokens import encode
from sandbox.identity.principals import PRINCIPALS, TENANT_ID, by_app_id, by_object_id
from sandbox.identity.sign_ins import CODE_VALID, Code
from sandbox.identity.tokens import InvalidToken
from sandbox.state import State

GRANTS = ("authorization_code", "refresh_token")
CANCEL = "cancel"
_OPENID = {"openid", "profile", "offline_access", "email"}


def people_routes(state: State) -> list[Route]:
    """What a person's browser opens."""

    async def authorize(request: Request) -> Response:
        asked = dict(request.query_params)
        if refusal := _refusal_of_client(state, request.path_params["tenant"], asked):
            return HTMLResponse(_document("Sign in", f"<p>{html.escape(refusal)}</p>"), 400)
        if error := _refusal_of_request(asked):
            return _back(asked, error)
        if request.method == "GET":
            return HTMLResponse(_document("Pick an account", _account_list(state)))
        chosen = parse_qs((await request.body()).decode()).get("account", [""])[-1]
        if chosen == CANCEL:
            message = "AADSTS65004: User declined to consent to access the app."
            return _back(asked, {"error": "access_denied", "error_description": message})
        person = by_object_id(state.store, chosen)
        if person is None or person["kind"] != "user":
            return HTMLResponse(_document("Sign in", "<p>AADSTS50034: The user account does not exist.</p>"), 400)
        state.sign_ins.second_factor.discard(chosen)
        code = Code(
            chosen,
            asked["client_id"].lower(),
            asked["redirect_uri"],
            asked.get("code_challenge", ""),
            asked.get("code_challenge_method", "plain"),
            asked.get("nonce", ""),
            asked.get("scope", ""),
            state.clock() + CODE_VALID,
        )
        return _back(asked, {"code": state.sign_ins.issue_code(code), "session_state": TENANT_ID})

    async def logout(request: Request) -> Response:
        wanted = request.query_params.get("post_logout_redirect_uri", "")
        origins = {uri.split("/auth/", 1)[0] for uri in state.sign_ins.redirect_uris}
        if any(wanted == origin or wanted.startswith(f"{origin}/") for origin in origins):
            return RedirectResponse(wanted, 302)
        return HTMLResponse(_document("You signed out of your account", "<p>Close all browser windows.</p>"))

    return [
        Route("/{tenant}/oauth2/v2.0/authorize", authorize, methods=["GET", "POST"]),
        Route("/{tenant}/oauth2/v2.0/logout", logout),
    ]


def _refusal_of_client(state: State, tenant: str, asked: dict[str, str]) -> str:
    """Why nothing is sent back to who asks; "" where it is a registered application."""
    client, redirect = asked.get("client_id", ""), asked.get("redirect_uri", "")
    if tenant.lower() != TENANT_ID:
        return f"AADSTS90002: Tenant '{tenant}' not found."
    if not client or by_app_id(state.store, client) is None:
        return f"AADSTS700016: Application with identifier '{client}' was not found in the directory '{tenant}'."
    if redirect not in state.sign_ins.redirect_uris:
        return (
            f"AADSTS50011: The redirect URI '{redirect}' specified in the request does not match the redirect URIs "
            f"configured for the application '{client}'."
        )
    return ""


def _refusal_of_request(asked: dict[str, str]) -> dict[str, str]:
    if asked.get("response_type") != "code":
        message = "AADSTS700051: response_type is not enabled for the application."
        return {"error": "unsupported_response_type", "error_description": message}
    if asked.get("response_mode", "query") != "query":
        message = "AADSTS70007: The sandbox answers with response_mode 'query' alone."
        return {"error": "unsupported_response_mode", "error_description": message}
    if asked.get("prompt") == "none":
        message = "AADSTS50058: A silent sign-in request was sent but no user is signed in."
        return {"error": "login_required", "error_description": message}
    return {}


def _back(asked: dict[str, str], answer: dict[str, str]) -> Response:
    joined = "&" if "?" in asked["redirect_uri"] else "?"
    return RedirectResponse(
        f"{asked['redirect_uri']}{joined}{urlencode({**answer, 'state': asked.get('state', '')})}", 302
    )


def _account_list(state: State) -> str:
    people = [document for document in state.store.list_resources(PRINCIPALS) if document["kind"] == "user"]
    buttons = "".join(
        f'<button name="account" value="{html.escape(person["objectId"])}"><b>{html.escape(person["displayName"])}</b>'
        f"<br>{html.escape(person['userPrincipalName'] or '')}</button>"
        for person in people
    )
    return f'<form method="post">{buttons}<button name="account" value="{CANCEL}">Cancel</button></form>'


def _document(title: str, body: str) -> str:
    style = (
        ":root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:26rem;margin:12vh auto;"
        "padding:0 1rem}h1{font-size:1.5rem;font-weight:600}button{display:block;width:100%;margin:.5rem 0;"
        "padding:.6rem 1rem;font:inherit;text-align:left;border:1px solid #8888;border-radius:.35rem;"
        "background:transparent;color:inherit}button:hover,button:focus-visible{outline:2px solid #0f5c6e}"
    )
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{title}</title><style>{style}</style><h1>{title}</h1><p>Entra of the sandbox: sample people, "
        f"no passwords.</p>{body}</html>"
    )


def grant_to_person(state: State, form: dict[str, str]) -> Response:
    """Tokens for a code or a refresh token. Raises Refused."""
    client_id = form.get("client_id", "").lower()
    application = by_app_id(state.store, client_id) if client_id else None
    if application is None:
        raise Refused(400, "unauthorized_client", 700016, f"Application with identifier '{client_id}' was not found.")
    # With an assertion the application has a federated identity, which the sandbox does not check.
    if not form.get("client_assertion"):
        secret, given = application.get("secret") or "", form.get("client_secret", "")
        if not secret or not hmac.compare_digest(secret.encode(), given.encode()):
            raise Refused(401, "invalid_client", 7000215, "Invalid client secret provided.")
    if form["grant_type"] == "authorization_code":
        return _for_code(state, form, client_id)
    return _for_refresh_token(state, form, client_id)


def _for_code(state: State, form: dict[str, str], client_id: str) -> Response:
    text = form.get("code", "")
    used = state.sign_ins.was_redeemed(text)
    code = state.sign_ins.redeem(text)
    if code is None:
        if used:
            raise Refused(400, "invalid_grant", 54005, "OAuth2 Authorization code was already redeemed.")
        raise Refused(400, "invalid_grant", 9002313, "Invalid request. Request is malformed or invalid.")
    if code.until <= state.clock():
        raise Refused(400, "invalid_grant", 70008, "The provided authorization code or refresh token has expired.")
    if (code.client_id, code.redirect_uri) != (client_id, form.get("redirect_uri")):
        message = "The reply address does not match the one of the authorization request."
        raise Refused(400, "invalid_grant", 500112, message)
    verifier = form.get("code_verifier", "")
    hashed = encode(hashlib.sha256(verifier.encode()).digest()) if code.method == "S256" else verifier
    if code.challenge and not hmac.compare_digest(hashed.encode(), code.challenge.encode()):
        message = "The Code_Verifier does not match the code_challenge supplied in the authorization request."
        raise Refused(400, "invalid_grant", 501481, message)
    return _tokens(state, code.object_id, client_id, form.get("scope") or code.scope, form.get("claims", ""), code)


def _for_refresh_token(state: State, form: dict[str, str], client_id: str) -> Response:
    try:
        known = state.tokens.read_entra_refresh(form.get("refresh_token", ""))
    except InvalidToken as error:
        message = f"The refresh token is not valid: {error}."
        raise Refused(400, "invalid_grant", 9002313, message) from error
    person = str(known["oid"])
    if known["appid"] != client_id:
        raise Refused(400, "invalid_grant", 70000, "The refresh token was issued to another client.")
    if known["session"] < state.sign_ins.session(person):
        message = "The provided grant has expired due to it being revoked, a fresh auth token is needed."
        raise Refused(400, "invalid_grant", 50173, message)
    if person in state.sign_ins.second_factor:
        message = (
            "Due to a configuration change made by your administrator, or because you moved to a new location, you "
            "must use multi-factor authentication."
        )
        claims = json.dumps({"access_token": {"acrs": {"essential": True, "value": "c1"}}})
        raise Refused(400, "interaction_required", 50076, message, {"suberror": "basic_action", "claims": claims})
    return _tokens(state, person, client_id, form.get("scope", ""), form.get("claims", ""))


def _tokens(
    state: State, object_id: str, client_id: str, scope: str, claims: str, code: Code | None = None
) -> Response:
    person = by_object_id(state.store, object_id)
    if person is None:
        raise Refused(400, "invalid_grant", 50034, "The user account does not exist in the directory.")
    asked = scope.split()
    resources = [one for one in asked if one not in _OPENID] or [f"{state.authority_url}/graph/User.Read"]
    answers = '"nbf"' in claims  # Clients send their own capabilities as claims, too.
    challenges = state.sign_ins.challenges(object_id) if answers or code else 0
    seconds = state.sign_ins.access_seconds
    body: dict[str, Any] = {
        "token_type": "Bearer",
        "scope": " ".join(resources),
        "expires_in": seconds,
        "ext_expires_in": seconds,
        "access_token": state.tokens.aad_of_person(
            oid=object_id,
            appid=client_id,
            aud=resources[0].rpartition("/")[0].rstrip("/"),
            name=person["displayName"],
            upn=person["userPrincipalName"],
            challenges=challenges,
            seconds=seconds,
        ),
        "client_info": encode(json.dumps({"uid": object_id, "utid": TENANT_ID}).encode()),
    }
    if code is None or "offline_access" in code.scope.split():
        body["refresh_token"] = state.tokens.entra_refresh(
            oid=object_id, appid=client_id, session=state.sign_ins.session(object_id)
        )
    if "openid" in asked or (code and "openid" in code.scope.split()):
        body["id_token"] = state.id_tokens.sign(_id_claims(state, person, client_id, code.nonce if code else ""))
    return JSONResponse(body)


def _id_claims(state: State, person: dict[str, Any], client_id: str, nonce: str) -> dict[str, Any]:
    now = int(state.clock().timestamp())
    return {
        "ver": "2.0",
        "iss": f"{state.authority_url}/{TENANT_ID}/v2.0",
        "sub": person["objectId"],
        "aud": client_id,
        "exp": now + 3600,
        "iat": now,
        "nbf": now,
        "name": person["displayName"],
        "preferred_username": person["userPrincipalName"],
        "oid": person["objectId"],
        "tid": TENANT_ID,
        **({"roles": roles} if (roles := person.get("appRoles")) else {}),
        **({"nonce": nonce} if nonce else {}),
    }
