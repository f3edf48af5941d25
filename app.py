"""The console's ASGI application; `streamlit run app.py` finds `app`.

An application instead of a plain script, because with `pages/` beside a plain script a deep link to a process that
has not run yet executes the page without the shell around it.
"""

import gc
import importlib
import json
import logging
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.middleware import Middleware
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from services.connection.session import connect_azure, connect_sandbox, sandbox_endpoints
from ui.costs.worker import reports_until
from ui.elements.errors import show_unexpected
from ui.growth.worker import snapshots_until
from ui.job_kinds.kinds import KINDS
from ui.jobs import runs
from ui.monitoring import activity_log, probes
from ui.monitoring.logs import set_up_logs
from ui.monitoring.metrics import metrics_at
from ui.monitoring.request_log import RequestLog
from ui.monitoring.tracing import tracing
from ui.navigation.moved import MovedInventory
from ui.runtime import connection, hosting
from ui.runtime.index_page import IndexPage
from ui.runtime.security_headers import SecurityHeaders
from ui.runtime.settings import Settings, read_settings
from ui.runtime.termination import at_termination
from ui.runtime.write_access import WriteAccess
from ui.schedules import worker
from ui.transfer import download_route

ROOT = Path(__file__).parent
HEAVY = ("pandas", "plotly.graph_objects", "azure.identity", "azure.mgmt.containerregistry", "azure.containerregistry")


def _settings() -> Settings:
    """Ends the process with one line where a setting is wrong."""
    try:
        found = read_settings()
        hosting.middleware(found.sign_in)
    except ValueError as error:
        sys.exit(f"ACR Console: {error}")
    return found


SETTINGS = _settings()


def _connect(settings: Settings, closing: ExitStack) -> None:
    sign_in = settings.sign_in
    if settings.connection == "azure":
        if sign_in:
            hosting.open_to_azure(settings, sign_in)
        else:
            connection.use(connect_azure(settings.cloud, settings.ca_file))
        return
    ready = _ready_sandbox(settings, closing)
    sys.stdout.write("\n  Sandbox: sample data\n")
    if sign_in:
        hosting.open_to_sandbox(sandbox_endpoints(ready), ready, sign_in)
    else:
        connection.use(connect_sandbox(ready))


def _ready_sandbox(settings: Settings, closing: ExitStack) -> dict[str, Any]:
    """Where the sandbox is: one that runs already, or one of this process."""
    if settings.sandbox_ready_file:
        found: dict[str, Any] = json.loads(settings.sandbox_ready_file.read_text())
        return found
    from sandbox.server import Sandbox  # Only where it is used: Azure needs none of it.

    sandbox = Sandbox.start(settings.sandbox_data, settings.sandbox_seed, latency_ms=settings.sandbox_latency_ms)
    closing.callback(sandbox.stop)
    if settings.sign_in:
        sandbox.register_console(settings.sign_in.redirect_uri)
    return sandbox.ready


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[dict[str, Any] | None]:
    with ExitStack() as closing:
        closing.enter_context(tracing())
        closing.enter_context(metrics_at(SETTINGS.metrics_port, SETTINGS.metrics_address))
        _connect(SETTINGS, closing)
        ending = threading.Event()
        threads = (
            (runs.continue_until, (KINDS,)),
            (activity_log.look_after_until, ()),
            (worker.work_until, ()),
            (snapshots_until, ()),
            (reports_until, ()),
        )
        for work, needs in threads:
            threading.Thread(target=work, args=(ending, *needs), name=work.__module__, daemon=True).start()

        def end_jobs() -> None:
            ending.set()
            runs.release_all()

        closing.enter_context(at_termination(end_jobs))
        for module in HEAVY:
            importlib.import_module(module)
        # What was imported is not worth walking through each time that garbage is collected.
        gc.collect()
        gc.freeze()
        yield None


def on_script_error(exc: Exception) -> bool:
    """Every failure that no view expected: logged whole, shown as an error panel with the same reference."""
    show_unexpected(exc, logging.getLogger("acr_console"))
    return True


set_up_logs(SETTINGS.log)
app = st.App(
    "pages/shell.py",
    lifespan=lifespan,
    routes=[
        Mount("/brand", StaticFiles(directory=ROOT / "static")),
        download_route.ROUTE,
        *probes.ROUTES,
        *hosting.routes(SETTINGS.sign_in),
    ],
    middleware=[
        Middleware(RequestLog),
        # The page that was open is where a sign-in that has ended leads back to.
        Middleware(SecurityHeaders, **({"referrer_policy": "same-origin"} if SETTINGS.sign_in else {})),
        *hosting.middleware(SETTINGS.sign_in),
        Middleware(MovedInventory),
        Middleware(IndexPage),
        Middleware(WriteAccess, shared=bool(SETTINGS.sign_in and SETTINGS.sign_in.shared)),
    ],
    on_script_error=on_script_error,
)
