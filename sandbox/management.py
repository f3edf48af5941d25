"""The management listener: sign-in, Resource Manager, Graph and list prices behind one origin."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import uuid
from collections.abc import Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route as WebRoute
from starlette.types import ASGIApp

from sandbox.arm import (
    authorization,
    groups,
    imports,
    networks,
    policies,
    providers,
    replications,
    resources,
    tokens,
    webhooks,
)
from sandbox.arm import registries as arm_registries
from sandbox.arm.activity import ActivityLog
from sandbox.arm.call import Call, Caller, Route
from sandbox.arm.operations import Operations
from sandbox.arm.operations import routes as operation_routes
from sandbox.billing import budgets, costs
from sandbox.billing.retail_prices import price_routes
from sandbox.clusters import clusters, commands, container_apps, identities, resource_graph
from sandbox.documents.errors import ArmError
from sandbox.entra import graph
from sandbox.entra.login import login_routes
from sandbox.identity.principals import TENANT_ID
from sandbox.identity.tokens import InvalidToken
from sandbox.monitor import diagnostic_settings, insights, logs, metrics, workspaces
from sandbox.state import State
from sandbox.tasks import runs, tasks
from sandbox.tasks.logs import Logs
from sandbox.tasks.timer import Timers

_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


def build_management_app(state: State) -> ASGIApp:
    """The ASGI app of the management listener."""
    log = ActivityLog()
    task_logs, timers = Logs(state.clock), Timers(state)
    routes = [*log.routes(), *runs.routes(task_logs), *all_routes(Operations())]
    writing = asyncio.Lock()

    async def arm(request: Request) -> Response:
        request_id = str(uuid.uuid4())
        correlation = request.headers.get("x-ms-correlation-request-id", request_id)
        done: tuple[Call, Route] | None = None
        if timers.due:
            async with writing:
                if timers.due:
                    await run_in_threadpool(timers.run)
        try:
            call, route = _checked(state, routes, request, await request.body())
            done = call, route
            if request.method in ("GET", "HEAD"):
                response = route.handle(call)
            else:
                # Opening a listener waits for the event loop, so it can't run on it; one change at a time.
                async with writing:
                    response = await run_in_threadpool(route.handle, call)
                timers.forget()
        except ArmError as error:
            response = JSONResponse(error.body, error.status, headers=error.headers)
        if done and done[1].action and request.method not in ("GET", "HEAD"):
            log.add(done[0], done[1].action, response.status_code, correlation)
        response.headers["x-ms-request-id"] = request_id
        response.headers["x-ms-correlation-request-id"] = correlation
        response.headers["Cache-Control"] = "no-cache"
        return response

    return Starlette(
        routes=[
            *login_routes(state),
            *price_routes(state),
            task_logs.route(state),
            WebRoute("/{path:path}", arm, methods=_METHODS),
        ]
    )


def all_routes(operations: Operations) -> list[Route]:
    """Resource Manager and Graph; the first match wins, so the any-scope routes come last."""
    return [
        *operation_routes(operations),
        *resources.routes(),
        *providers.routes(),
        *groups.routes(operations),
        *arm_registries.routes(operations),
        *imports.routes(operations),
        *replications.routes(operations),
        *webhooks.routes(),
        *tasks.routes(),
        *tokens.routes(operations),
        *clusters.routes(),
        *identities.routes(),
        *commands.routes(),
        *container_apps.routes(),
        *resource_graph.routes(),
        *networks.routes(),
        *policies.routes(),
        *diagnostic_settings.routes(),
        *workspaces.routes(),
        *insights.routes(),
        *logs.routes(),
        *metrics.routes(),
        *graph.routes(),
        *costs.routes(),
        *budgets.routes(),
        *authorization.routes(),
    ]


def _checked(state: State, routes: list[Route], request: Request, body: bytes) -> tuple[Call, Route]:
    """The call and its route, once token, version, subscription and permission were checked."""
    # The SDK's list_for_resource writes "//" where a resource has no parent.
    path = re.sub("/{2,}", "/", request.url.path).rstrip("/") or "/"
    caller = _caller(state, request, graph_call=path.startswith(graph.BASE))
    route, params = _route(routes, request.method, path)
    if "api-version" not in request.query_params and not path.startswith((graph.BASE, logs.BASE)):
        message = "The api-version query parameter (?api-version=) is required for all requests."
        raise ArmError(400, "MissingApiVersionParameter", message)
    call = Call(
        state=state,
        caller=caller,
        method=request.method,
        path=path,
        params=params,
        query=dict(request.query_params),
        headers=dict(request.headers),
        body=_json(body),
    )
    subscription = params.get("subscription")
    if subscription and state.store.get_resource(f"/subscriptions/{subscription}") is None:
        raise resources.subscription_not_found(subscription)
    if route.action is not None:
        scope = path if route.scope is None else _fill(route.scope, params)
        call.require(route.action, scope or "/")
    return call, route


def _fill(template: str, params: Mapping[str, str]) -> str:
    for name, value in params.items():
        template = template.replace(f"{{{name}}}", value)
    return template


def _route(routes: list[Route], method: str, path: str) -> tuple[Route, dict[str, str]]:
    allowed = []
    for route in routes:
        match = route.pattern.fullmatch(path)
        if match and route.method == method:
            return route, match.groupdict()
        if match:
            allowed.append(route.method)
    if allowed:
        message = f"The requested resource does not support http method '{method}'."
        raise ArmError(405, "MethodNotAllowed", message, {"Allow": ", ".join(allowed)})
    raise ArmError(404, "InvalidResourceType", f"The sandbox has nothing at '{path}'.")


def _caller(state: State, request: Request, *, graph_call: bool) -> Caller:
    header = request.headers.get("authorization", "")
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token:
        message = "Authentication failed. The 'Authorization' header is missing."
        raise _unauthorized(state, "AuthenticationFailed", message)
    try:
        claims = state.tokens.read(token)
    except InvalidToken as error:
        raise _unauthorized(state, "InvalidAuthenticationToken", f"The access token is invalid: {error}") from error
    audience, origin = str(claims.get("aud", "")), state.authority_url
    expected = f"{origin}/graph" if graph_call else origin
    if audience.rstrip("/") != expected:
        message = (
            "The access token has been obtained for wrong audience or resource "
            f"'{audience}'. It should exactly match with one of the allowed audiences "
            f"'{expected}/','{expected}'."
        )
        raise _unauthorized(state, "InvalidAuthenticationTokenAudience", message)
    caller = Caller(str(claims["oid"]), str(claims["appid"]), str(claims.get("upn", "")))
    if caller.upn and not graph_call and claims["challenges"] < state.sign_ins.challenges(caller.object_id):
        raise _insufficient_claims(state)
    return caller


def _insufficient_claims(state: State) -> ArmError:
    """Continuous access evaluation: the client must get a new token that answers these claims.

    https://learn.microsoft.com/entra/identity-platform/claims-challenge
    """
    now = int(state.clock().timestamp())
    wanted = json.dumps({"access_token": {"nbf": {"essential": True, "value": str(now)}}})
    encoded = base64.b64encode(wanted.encode()).decode()
    challenge = (
        f'Bearer realm="", authorization_uri="{state.authority_url}/{TENANT_ID}/oauth2/authorize", '
        f'error="insufficient_claims", claims="{encoded}"'
    )
    message = "Continuous access evaluation resulted in claims challenge with result: InteractionRequired."
    return ArmError(401, "TokenIssuedBeforeRevocationTimestamp", message, {"WWW-Authenticate": challenge})


def _unauthorized(state: State, code: str, message: str) -> ArmError:
    challenge = (
        f'Bearer authorization_uri="{state.authority_url}/{TENANT_ID}", error="invalid_token", '
        f'error_description="{message}"'
    )
    return ArmError(401, code, message, {"WWW-Authenticate": challenge})


def _json(body: bytes) -> Any:
    if not body:
        return None
    try:
        return json.loads(body)
    except ValueError as error:
        message = "The request content was invalid and could not be deserialized."
        raise ArmError(400, "InvalidRequestContent", message) from error
