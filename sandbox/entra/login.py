"""Microsoft Entra sign-in: what clients discover, tokens for service principals, and the cloud's own description.

https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
"""

from __future__ import annotations

import hmac
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.entra.people import GRANTS, grant_to_person, people_routes
from sandbox.entra.refusals import Refused, answer_of
from sandbox.identity.principals import TENANT_ID, by_app_id
from sandbox.state import State

TOKEN_SECONDS = 3600


def login_routes(state: State) -> list[Route]:
    """Everything that is asked before there is a token."""

    async def discovery(request: Request) -> Response:
        return JSONResponse(openid_configuration(state, request.path_params["tenant"]))

    async def token(request: Request) -> Response:
        form = {key: values[-1] for key, values in parse_qs((await request.body()).decode()).items()}
        try:
            return grant(state, request.path_params["tenant"], form)
        except Refused as refused:
            return answer_of(state, refused)

    async def instance(_request: Request) -> Response:
        return JSONResponse(
            {
                "tenant_discovery_endpoint": f"{state.authority_url}/{TENANT_ID}/v2.0/.well-known/openid-configuration",
                "metadata": [],
            }
        )

    async def endpoints(request: Request) -> Response:
        cloud = cloud_description(state)
        # Before 2022-09-01 the answer was the list of all clouds.
        newest = request.query_params.get("api-version", "") >= "2022-09-01"
        return JSONResponse(cloud if newest else [cloud])

    async def keys(_request: Request) -> Response:
        return JSONResponse(state.id_tokens.key_set())

    return [
        Route("/metadata/endpoints", endpoints),
        Route("/common/discovery/instance", instance),
        Route("/{tenant}/v2.0/.well-known/openid-configuration", discovery),
        Route("/{tenant}/discovery/v2.0/keys", keys),
        Route("/{tenant}/oauth2/v2.0/token", token, methods=["POST"]),
        *people_routes(state),
    ]


def openid_configuration(state: State, tenant: str) -> dict[str, Any]:
    base = f"{state.authority_url}/{tenant}"
    return {
        "token_endpoint": f"{base}/oauth2/v2.0/token",
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
        "code_challenge_methods_supported": ["S256"],
        "jwks_uri": f"{base}/discovery/v2.0/keys",
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "token"],
        "scopes_supported": ["openid"],
        "issuer": f"{base}/v2.0",
        "authorization_endpoint": f"{state.people_url or state.authority_url}/{tenant}/oauth2/v2.0/authorize",
        "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
        "end_session_endpoint": f"{state.people_url or state.authority_url}/{tenant}/oauth2/v2.0/logout",
        "claims_supported": ["sub", "iss", "aud", "exp", "iat", "oid", "tid"],
        "tenant_region_scope": None,
    }


def grant(state: State, tenant: str, form: dict[str, str]) -> Response:
    """Tokens for a person, or one for a service principal: for the scope without its trailing /.default.

    Raises Refused."""
    if tenant.lower() != TENANT_ID:
        message = f"Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID."
        raise Refused(400, "invalid_request", 90002, message)
    if form.get("grant_type") in GRANTS:
        return grant_to_person(state, form)
    if form.get("grant_type") != "client_credentials":
        message = f"The app requested an unsupported grant type '{form.get('grant_type', '')}'."
        raise Refused(400, "unsupported_grant_type", 70003, message)
    client_id = form.get("client_id", "")
    principal = by_app_id(state.store, client_id) if client_id else None
    if principal is None:
        message = f"Application with identifier '{client_id}' was not found in the directory '{tenant}'."
        raise Refused(400, "unauthorized_client", 700016, message)
    secret = principal.get("secret")
    given = form.get("client_secret", "")
    if not secret or not hmac.compare_digest(secret.encode(), given.encode()):
        message = (
            "Invalid client secret provided. Ensure the secret being sent in the request is "
            f"the client secret value, not the client secret ID, for a secret added to app '{client_id}'."
        )
        raise Refused(401, "invalid_client", 7000215, message)
    scope = form.get("scope", "").split(" ")[0]
    if not scope.endswith("/.default"):
        raise Refused(400, "invalid_scope", 1002012, f"The provided value for scope {scope} is not valid.")
    audience = scope.removesuffix("/.default").rstrip("/")
    return JSONResponse(
        {
            "token_type": "Bearer",
            "expires_in": TOKEN_SECONDS,
            "ext_expires_in": TOKEN_SECONDS,
            "access_token": state.tokens.aad(
                oid=principal["objectId"], appid=client_id, aud=audience, name=principal["displayName"]
            ),
        }
    )


def cloud_description(state: State) -> dict[str, Any]:
    """What `az cloud register` reads."""
    url = state.authority_url
    return {
        "name": "AzureSandbox",
        "portal": url,
        "authentication": {
            "loginEndpoint": url,
            "audiences": [url],
            "tenant": "common",
            "identityProvider": "AAD",
        },
        "resourceManager": url,
        "graph": url,
        "graphAudience": url,
        "microsoftGraphResourceId": f"{url}/graph",
        "media": url,
        "batch": url,
        "gallery": url,
        "sqlManagement": url,
        "vmImageAliasDoc": url,
        "activeDirectoryDataLake": url,
        "suffixes": {
            "acrLoginServer": "azurecr.sandbox",
            "storage": "core.sandbox",
            "keyVaultDns": "vault.sandbox",
            "sqlServerHostname": "database.sandbox",
        },
    }
