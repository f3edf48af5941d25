"""One running sandbox: a listener for sign-in and management, and one for each registry."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from starlette.applications import Starlette

from sandbox.documents.registry_rules import REGISTRY_TYPE
from sandbox.entra.people import people_routes
from sandbox.faults import Faults, RequestRecord
from sandbox.identity.id_tokens import IdTokens
from sandbox.identity.principals import CONSOLE, READER, TENANT_ID
from sandbox.identity.tokens import Tokens
from sandbox.listeners import Listeners, bind, port_of
from sandbox.management import build_management_app
from sandbox.registry.app import build_registry_app
from sandbox.seeds import seed as plant
from sandbox.state import State
from sandbox.storage.store import Store
from sandbox.tls import ensure_certificates

# Their names among the listeners: no registry has such a name.
MANAGEMENT = ""
PEOPLE = "people/"


class OtherSeed(RuntimeError):
    """The data directory holds another seed than the one asked for."""


def utcnow() -> datetime:
    return datetime.now(UTC)


class Sandbox:
    """Made by `Sandbox.start`: the listeners, the certificates and the faults around a `State`."""

    def __init__(
        self,
        data: Path,
        seed: str,
        latency_ms: float,
        faults: Path | None,
        clock: Callable[[], datetime],
        propagation_s: float,
    ) -> None:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._faults = Faults(faults, latency_ms)
        with ExitStack() as stack:
            self.store = Store(data)
            stack.callback(self.store.close)
            self.store.blobs.files.forget_uploads()
            _plant_once(self.store, seed, clock())
            self.state = State(
                self.store,
                Tokens(data, TENANT_ID, clock),
                IdTokens(data),
                clock,
                timedelta(seconds=propagation_s),
                self._open_registry,
                self._close_registry,
            )
            self._certificates = ensure_certificates(data, clock())
            self._listeners = Listeners(self._certificates.leaf, self._certificates.key)
            stack.pop_all()

    @classmethod
    def start(
        cls,
        data: Path,
        seed: str = "estate",
        port: int = 0,
        latency_ms: float = 0,
        faults: Path | None = None,
        clock: Callable[[], datetime] = utcnow,
        propagation_s: float = 0,
    ) -> Self:
        """A sandbox whose listeners all accept when this returns. Port 0 is the port of last time, or any.

        Registries honour a new role assignment `propagation_s` after it was made; Resource Manager does at once.
        """
        sandbox = cls(data, seed, latency_ms, faults, clock, propagation_s)
        with ExitStack() as stack:
            stack.callback(sandbox.stop)
            sandbox._open_management(port)
            for registry in sandbox.store.list_resources(REGISTRY_TYPE):
                sandbox._open_registry(registry["name"])
            stack.pop_all()
        return sandbox

    def stop(self) -> None:
        """End all listeners; requests under way get a second to finish."""
        self._listeners.stop()
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def ready(self) -> dict[str, Any]:
        """All that a client needs to know."""
        registries = self.store.list_resources(REGISTRY_TYPE)
        return {
            "authority": self.state.authority_url,
            "resource_manager": self.state.authority_url,
            "resource_manager_scope": f"{self.state.authority_url}/.default",
            "registry_audience": self.state.registry_audience,
            "retail_prices": self.state.authority_url,
            "graph": f"{self.state.authority_url}/graph",
            "logs": self.state.authority_url,
            "metrics": self.state.authority_url,
            "tenant_id": TENANT_ID,
            "subscription_ids": [doc["subscriptionId"] for doc in self.store.list_resources("subscriptions")],
            "client_id": CONSOLE.app_id,
            "client_secret": CONSOLE.secret,
            "reader_client_id": READER.app_id,
            "reader_client_secret": READER.secret,
            "ca_file": str(self._certificates.ca),
            "registries": {doc["name"]: doc["properties"]["loginServer"] for doc in registries},
        }

    def register_console(self, redirect_uri: str) -> None:
        """Lets people sign in to a console: its redirect URI is the application's from now on, and browsers find Entra
        without TLS on a port of its own, since they don't know the sandbox's certificate authority."""
        self.state.sign_ins.redirect_uris.add(redirect_uri)
        if not self.state.people_url:
            sock = bind(int(self.store.get_setting("people port") or 0), 0)
            self.store.set_setting("people port", str(port_of(sock)))
            self.state.people_url = f"http://localhost:{port_of(sock)}"
            app = self._faults.wrap(Starlette(routes=people_routes(self.state)), arm=False)
            self._listeners.open(PEOPLE, app, sock, tls=False)

    @property
    def requests(self) -> list[RequestRecord]:
        """The latest requests to any listener, oldest first."""
        return list(self._faults.requests)

    def clear_requests(self) -> None:
        self._faults.requests.clear()

    def set_latency(self, milliseconds: float) -> None:
        self._faults.latency_ms = milliseconds

    def _open_registry(self, name: str) -> int:
        """Start a registry's listener, if possible on its port of last time, and put its login server on record."""
        document = self.store.find_resource(REGISTRY_TYPE, name)
        if document is None:
            raise KeyError(name)
        private = document.setdefault("_sandbox", {})
        sock = bind(private.get("port") or 0, 0)
        private["port"] = port_of(sock)
        document["properties"]["loginServer"] = f"localhost:{port_of(sock)}"
        self.store.put_resource(document)
        app = self._faults.wrap(build_registry_app(self.state, document["name"]), arm=False)
        self._listeners.open(name.lower(), app, sock)
        return port_of(sock)

    def _close_registry(self, name: str) -> None:
        self._listeners.close(name.lower())

    def _open_management(self, port: int) -> None:
        known = int(self.store.get_setting("port") or 0)
        sock = bind(port) if port else bind(known, 0)
        self.store.set_setting("port", str(port_of(sock)))
        self.state.authority_url = f"https://localhost:{port_of(sock)}"
        self._listeners.open(MANAGEMENT, self._faults.wrap(build_management_app(self.state), arm=True), sock)


def _plant_once(store: Store, seed: str, now: datetime) -> None:
    """Seed a new directory; refuse one of another seed, since changes in it would be taken for the seed."""
    planted = store.get_setting("seed")
    if planted is None:
        with store.transaction():
            plant(store, seed, now)
            store.set_setting("seed", seed)
    elif planted != seed:
        raise OtherSeed(f"this data directory was seeded with {planted!r}, not {seed!r}: choose another directory")
