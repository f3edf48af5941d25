"""A console that people sign in to, from its settings: the gate, the routes, and whom Azure is asked as."""

import os
from dataclasses import replace
from typing import Any

import streamlit as st
from starlette.middleware import Middleware
from starlette.routing import Route

from services.connection.endpoints import CLOUDS, AzureEndpoints
from services.connection.session import AzureSession, Identity, connect_azure, connect_sandbox
from services.sign_in.credential import PersonCredential, console_credential
from services.sign_in.entra import Entra, Registration
from services.sign_in.store import Person, SignIns
from ui.runtime import connection
from ui.runtime.auth_routes import AuthRoutes
from ui.runtime.database import database
from ui.runtime.gate import Gate
from ui.runtime.settings import Settings
from ui.runtime.sign_in_settings import SignInSettings

_entra: list[Entra] = []


def middleware(settings: SignInSettings | None) -> list[Middleware]:
    """The gate; nothing where the console has no sign-in. Raises ValueError where Streamlit would refuse its host."""
    if settings is None:
        return []
    allowed = [str(one) for one in st.get_option("server.allowedHosts") or ()]
    if allowed and settings.host not in allowed and "*" not in allowed:
        raise ValueError(
            f"Streamlit refuses {settings.host}: set STREAMLIT_SERVER_ALLOWED_HOSTS to the host of "
            "ACR_CONSOLE_PUBLIC_URL"
        )
    options: dict[str, Any] = {
        "public_url": settings.public_url,
        "check": settings.check,
        "needs_role": settings.shared,
    }
    return [Middleware(Gate, sign_ins=lambda: _entra[0].sign_ins, signed_out=_forget, **options)]


def routes(settings: SignInSettings | None) -> list[Route]:
    """The routes below /auth; nothing where the console has no sign-in."""
    if settings is None:
        return []
    return AuthRoutes(lambda: _entra[0], settings.keys, settings.public_url, _forget).routes()


def open_to_azure(settings: Settings, sign_in: SignInSettings) -> None:
    """Lets people sign in with the application of the settings. Raises ServiceError (NoDatabase)."""
    endpoints = replace(CLOUDS[settings.cloud], ca_file=settings.ca_file)
    credential = console_credential(sign_in.client_secret, os.environ)
    own = connect_azure(settings.cloud, settings.ca_file) if sign_in.shared or sign_in.own_identity else None
    _open(sign_in, endpoints, sign_in.tenant_id, sign_in.client_id, credential, own)


def open_to_sandbox(endpoints: AzureEndpoints, ready: dict[str, Any], sign_in: SignInSettings) -> None:
    """Lets the sandbox's people sign in. Raises as `open_to_azure`."""
    own = connect_sandbox(ready) if sign_in.shared or sign_in.own_identity else None
    _open(sign_in, endpoints, ready["tenant_id"], ready["client_id"], ready["client_secret"], own)


def _open(
    sign_in: SignInSettings,
    endpoints: AzureEndpoints,
    tenant_id: str,
    client_id: str,
    credential: Any,
    own: AzureSession | None,
) -> None:
    """`own`: the connection of the console's own identity, which everybody shares where the settings say so."""
    database()  # Without one nobody can sign in.
    sign_ins = SignIns(database, sign_in.keys, sign_in.idle, sign_in.longest, endpoints.resource_manager)
    registration = Registration(
        endpoints.authority,
        tenant_id,
        client_id,
        credential,
        sign_in.redirect_uri,
        "" if sign_in.shared else endpoints.resource_manager_scope,
        endpoints.ca_file,
        endpoints.instance_discovery,
    )
    entra = Entra(registration, sign_ins)
    _entra[:] = [entra]

    def make_session(account: str) -> AzureSession:
        return AzureSession(PersonCredential(entra, account), endpoints, identity=_person(account))

    if sign_in.shared and own:
        connection.use_one_for_people(own, _person)
    else:
        connection.use_people(make_session, entra.require, own)


def _person(account: str) -> Identity:
    tenant, _, object_id = account.partition("/")
    person = _entra[0].sign_ins.person(account) or Person("", "")
    return Identity(tenant, object_id, person.name, person.login)


def _forget(account: str) -> None:
    connection.forget_account(account)
    _entra[0].forget(account)
