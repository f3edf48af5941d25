"""The fault walk: each view of the console rendered while one class of what it reads fails."""

import json
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st
from sqlalchemy import delete
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from sandbox.server import Sandbox
from services.connection.session import connect_sandbox
from services.database.tables import contents
from tests.support.app_test import SHELL
from tests.support.page_statements import Statement, contradictions, statements
from ui.navigation.pages import OVERVIEW
from ui.runtime import connection
from ui.runtime.database import database

IMAGE = {"registry": "casaacr01", "repository": "nodejstemplate", "reference": "v1.0.0"}
REPOSITORY = {"registry": "casaacr01", "repository": "nodejstemplate"}
PULLED = {"registry": "contosohub", "repository": "jobs/mailer", "reference": "v1.2.0"}
HUB, CASA = {"registry": "contosohub"}, {"registry": "casaacr01"}
ORDERS = {"registry": "contosohub", "repository": "api/orders", "reference": "v1.2.0"}
# Name → address and query. Every page is there, and its tabs where they read something of their own.
VIEWS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "overview": ("", {}),
    "inventory": ("inventory", {}),
    "search": ("search", {"q": "latest"}),
    "create": ("create", {}),
    "repositories": ("repositories", HUB),
    "push": ("push", CASA),
    "copy": ("push", {**CASA, "from": "From another registry"}),
    "storage": ("storage", CASA),
    "images by storage": ("storage", {**CASA, "show": "Images"}),
    "deletions": ("deletions", {}),
    "registry events": ("deletions", {**HUB, "show": "Registry events"}),
    "registry": ("registry", HUB),
    "registry images": ("registry", {**HUB, "show": "Images"}),
    "registry network": ("registry", {**HUB, "show": "Network"}),
    "registry cost": ("registry", {**HUB, "show": "Cost"}),
    "registry settings": ("registry", {**HUB, "show": "Settings"}),
    "sign-in": ("sign-in", CASA),
    "settings": ("settings", HUB),
    "deleted images": ("deleted", {"registry": "contosodev"}),
    "webhooks": ("webhooks", HUB),
    "tasks": ("tasks", HUB),
    "one task": ("tasks", {**HUB, "task": "build-toolbox"}),
    "run of a task": ("tasks", {**HUB, "run": "ca3"}),
    "replicas": ("replicas", HUB),
    "tokens": ("tokens", HUB),
    "repository": ("repository", REPOSITORY),
    "manifests": ("repository", {**REPOSITORY, "show": "Manifests"}),
    "image": ("image", IMAGE),
    "pulled image": ("image", PULLED),
    "image events": ("image", {**PULLED, "show": "Events"}),
    "pulled tags": ("repository", {"registry": "contosohub", "repository": "jobs/mailer"}),
    "image layers": ("image", {**IMAGE, "show": "Layers and history"}),
    "image configuration": ("image", {**IMAGE, "show": "Configuration"}),
    "compare": ("compare", {**ORDERS, "with": "latest"}),
    "compared packages": ("compare", {**ORDERS, "with": "latest", "show": "Packages"}),
    "image referrers": ("image", {**IMAGE, "show": "Referrers"}),
    "delete": ("delete", IMAGE),
    "cleanup": ("cleanup", REPOSITORY),
    "policies": ("policies", {}),
    "simulated policy": ("policies", {**CASA, "policy": "new", "show": "Simulation"}),
    "policy over several registries": (
        "policies",
        {"policy": "new", "show": "Simulation", "over": "Several registries"},
    ),
    "scheduled policy": ("policies", {"policy": "new", "show": "Schedule"}),
    "past months of a policy": ("policies", {**CASA, "policy": "new", "show": "Last months"}),
    "skus": ("skus", {}),
    "sku of a registry": ("skus", HUB),
    "costs": ("costs", {}),
    "aks": ("aks", {"cluster": "aks1", **IMAGE}),
    "matrix": ("matrix", {}),
    "running images": ("running", {}),
    "roles": ("roles", CASA),
    "access": ("access", CASA),
    "abac switch": ("access", {**CASA, "show": "Switch to ABAC"}),
    "assign": ("assign", CASA),
    "one principal": ("access", {"show": "One principal", "principal": "7d2f894e-14ab-41d0-b83d-dda90d45c7d6"}),
    "delete a repository": ("delete", REPOSITORY),
    "delete by rule": ("cleanup", {**REPOSITORY, "tags": "v*", "leftovers": "true"}),
    "bill by repository": ("costs", {**HUB, "show": "Repositories"}),
    "trend of costs": ("costs", {"show": "Trend"}),
    "months of a bill": ("costs", {"show": "Months"}),
    "budgets": ("costs", {"show": "Budgets"}),
    "sources of bills": ("costs", {"show": "Sources"}),
}
FORBIDDEN: Mapping[str, Any] = {"status": 403}
THROTTLED: Mapping[str, Any] = {"status": 429, "retry_after": 999}

_GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
# The last name of a collection is what differs between the requests of a class.
_COLLECTIONS = re.compile(
    r"(?i)/(registries|managedClusters|virtualNetworks|privateDnsZones|privateEndpoints|publicIPAddresses|locks|webhooks|"
    r"networkSecurityGroups|tokens|scopeMaps|tasks|runs|replications|natGateways|routeTables|resourceGroups)/[^/\[]+"
)
# The sign-in itself: without it there is no page.
_SIGN_IN = re.compile(r"/oauth2/v2\.0/token|/discovery|openid|\.well-known")


@dataclass(frozen=True)
class Fault:
    """A class of reads that fails: `path` is a pattern of their paths, `every` 2 breaks each second one."""

    method: str
    path: str
    every: int
    answer: Mapping[str, Any]

    def __str__(self) -> str:
        share = "all" if self.every == 1 else "half"
        return f"{self.answer['status']} for {share} of {self.method} {self.path}"


@dataclass(frozen=True)
class Rendering:
    """A view as it was shown, and how often each class of reads was asked for."""

    statements: tuple[Statement, ...]
    reads: Counter[tuple[str, str]]


class FaultWalk:
    """Renders views at a sandbox whose faults it writes."""

    def __init__(self, sandbox: Sandbox, faults: Path) -> None:
        self._sandbox = sandbox
        self._faults = faults
        self._truths: dict[str, tuple[Rendering, frozenset[str]]] = {}

    def faults_of(self, view: str) -> Iterator[Fault]:
        """Every class of reads of the view, refused and throttled: all of it, and each second one of several."""
        for (method, path), number in sorted(self.truth(view)[0].reads.items()):
            for every in (1, 2) if number > 1 else (1,):
                for answer in (FORBIDDEN, THROTTLED):
                    yield Fault(method, path, every, answer)

    def truth(self, view: str) -> tuple[Rendering, frozenset[str]]:
        """The view with nothing broken, and what differs between two such renderings."""
        if view not in self._truths:
            first, second = self.render(view), self.render(view)
            assert not any(one.subject == "a traceback" for one in first.statements), (
                f"{view} fails with nothing broken"
            )
            differ = set(first.statements) ^ set(second.statements)
            self._truths[view] = first, frozenset(one.subject or one.value for one in differ)
        return self._truths[view]

    def contradictions(self, view: str, fault: Fault) -> list[str]:
        """What the view says under the fault that the truth contradicts."""
        truth, noise = self.truth(view)
        return contradictions(truth.statements, self.render(view, fault).statements, noise)

    def render(self, view: str, fault: Fault | None = None) -> Rendering:
        """The view, once all that it reads in the background has ended."""
        address, query = VIEWS[view]
        rules = [{"method": fault.method, "path": fault.path, "every": fault.every, **fault.answer}] if fault else []
        self._faults.write_text(json.dumps(rules))
        st.cache_resource.clear()
        st.cache_data.clear()
        with database().begin() as db:  # No manifest that another rendering has read.
            db.execute(delete(contents))
        asked = len(self._sandbox.requests)
        connection.use(connect_sandbox(self._sandbox.ready))
        at = AppTest.from_file(SHELL, default_timeout=60)
        for name, value in query.items():
            at.query_params[name] = value
        at._page_hash = calc_hash(address)  # `switch_page` knows an address only after a run of the first page.
        at.run()
        while _readings_end():
            at.run()
        at.run()  # What was read in the background of the last run, and had ended when that was looked at.
        assert not address or not at.title or at.title[0].value != OVERVIEW.title, f"{view} is not rendered"
        requests = list(self._sandbox.requests)[asked:]
        return Rendering(statements(at), Counter(c for r in requests if (c := _class_of(r.method, r.path))))


def _readings_end() -> bool:
    """Whether anything was read in the background; it has ended then."""
    threads = [thread for thread in threading.enumerate() if thread.name == "reading"]
    until = time.monotonic() + 60
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
    return bool(threads)


def _class_of(method: str, path: str) -> tuple[str, str] | None:
    """The method, and a pattern of the paths of the same shape; None for the sign-in."""
    if _SIGN_IN.search(path):
        return None
    pattern = _COLLECTIONS.sub(r"/\1/[^/]+", _GUID.sub("[^/]+", _DIGEST.sub("[^/]+", path)))
    if not path.startswith(("/subscriptions", "/providers")):
        pattern = re.sub(r"/acr/v1/(?!_catalog).+?/(_tags|_manifests).*", r"/acr/v1/.+/\1", pattern)
        pattern = re.sub(r"^/acr/v1/(?!_catalog)[^_]+$", "/acr/v1/[^_]+", pattern)
        pattern = re.sub(r"/v2/(?!_catalog).+?/(manifests|blobs|referrers|tags)/.*", r"/v2/.+/\1/.*", pattern)
    return method, f"^{pattern}$"
