"""Real answers of Azure, replayed through the SDK's clients and the services that read them.

AZURE_RECORDINGS names a folder of real/ and documented/ answers, by plane; nothing of them is in this repository.
Each file is replayed, or stands in the `not_read` of its area with the reason why nothing reads it.
"""

import json
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatch
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from services.arm.subscriptions import Subscription
from services.connection.data_plane import RegistryClient
from services.connection.errors import ServiceError
from services.connection.session import AzureSession
from tests.support.canned import ARM, CLOUD, Answer, Canned, CannedRegistry, Clock, Credential, connected

_FOLDER = os.environ.get("AZURE_RECORDINGS")
if not _FOLDER:
    pytest.skip("AZURE_RECORDINGS names no folder of real answers", allow_module_level=True)
ROOT = Path(_FOLDER)
# The folders that each file of tests replays.
PLANES = {
    "arm": ("resource-graph", "resource-groups", "subscriptions"),
    "registries": ("acr-mgmt",),
    "data plane": ("acr-data",),
    "access": ("authorization",),
    "costs": ("consumption", "retail-prices"),
    "aks": ("aks",),
}


NAMESPACE = "Microsoft.ContainerRegistry"


def serve_provider(wire: Canned, subscription: str, locations: list[dict[str, Any]]) -> None:
    """A subscription in which registries are offered in these locations."""
    kinds = [{"resourceType": "registries", "locations": [location["displayName"] for location in locations]}]
    provider = {"namespace": NAMESPACE, "registrationState": "Registered", "resourceTypes": kinds}
    wire.on("GET", f"{ARM}/subscriptions/{subscription}/providers/{NAMESPACE}", Answer(200, provider))
    wire.on("GET", f"{ARM}/subscriptions/{subscription}/locations", Answer(200, {"value": locations}))


class Recording:
    """One recorded interaction."""

    def __init__(self, file: str) -> None:
        document = json.loads((ROOT / file).read_text())
        self.file = file
        self.plane = file.split("/")[1]
        self.method: str = document["request"]["method"]
        self.host: str = document["request"]["host"]
        self.path: str = document["request"]["path"]
        self.query: dict[str, str] = document["request"]["query"]
        self.request: Any = document["request"].get("body")
        self.response: dict[str, Any] = document["response"]
        self.body: Any = self.response["body"]
        # What a replay sends of it under another status, or within another body.
        self.sent_body: Any = self.body
        self.status: int = self.response["status"]
        self.headers: dict[str, str] = self.response["headers"]

    @property
    def answer(self) -> Answer:
        """The answer as it came over the wire."""
        raw = self.response.get("raw_body")
        if raw is None:
            raw = "" if self.body is None else json.dumps(self.body)
        return Answer(self.status, raw.encode(), self.headers)

    def part(self, pattern: str) -> str:
        """A part of the request's path, decoded."""
        found = re.search(pattern, self.path)
        assert found, (self.path, pattern)
        return unquote(found[1])

    def registry(self, *following: Answer, method: str = "GET") -> RegistryClient:
        """A registry that gives this answer, then those."""
        canned = CannedRegistry(Clock(), self.host)
        canned.on(method, f"https://{self.host}{self.path}", self.answer, *following)
        return connected(canned)


def sent(client: RegistryClient) -> CannedRegistry:
    canned = client._client._pipeline._transport
    assert isinstance(canned, CannedRegistry)
    return canned


def time(text: str) -> datetime:
    return datetime.fromisoformat(text)


REFUSED = Answer(403, {"error": {"code": "AuthorizationFailed", "message": "M"}})


def arm() -> tuple[Canned, AzureSession]:
    wire = Canned()
    return wire, AzureSession(Credential(), CLOUD, wire)


def serve_details(wire: Canned, resource_id: str, usages: Answer = REFUSED, replicas: Answer = REFUSED) -> None:
    wire.on("GET", f"{ARM}{resource_id}?preview", REFUSED)  # The soft delete policy.
    wire.on("GET", f"{ARM}{resource_id}/listUsages", usages)
    wire.on("GET", f"{ARM}{resource_id}/replications", replicas)


S1 = Subscription("s1", "contoso", "", "")


FILES = sorted(str(path.relative_to(ROOT)) for top in ("real", "documented") for path in (ROOT / top).rglob("*.json"))
RECORDINGS = {file: Recording(file) for file in FILES}


def refusals(area: str) -> list[str]:
    """The files of an area whose answer is an error."""
    return [file for file, one in RECORDINGS.items() if one.plane in PLANES[area] and one.status >= 400]


def check_refusal(error: ServiceError, recording: Recording) -> None:
    assert error.status == recording.status
    assert (error.code, error.cause) == _code_and_message(recording.body)
    assert error.remedy


def _code_and_message(body: Any) -> tuple[str, str]:
    if body is None:
        return "", "Azure gave no reason."
    document = json.loads(body) if isinstance(body, str) else body
    error = document["errors"][0] if "errors" in document else document.get("error", document)
    return error["code"], error["message"]


@dataclass(frozen=True)
class Area:
    """What is done with the answers of an area that are no errors, by patterns of their files: who replays them, or why
    no service reads them."""

    name: str
    read: Mapping[str, Callable[[Recording], None]]
    not_read: Mapping[str, str]

    @property
    def _answers(self) -> list[str]:
        return [file for file, one in RECORDINGS.items() if one.plane in PLANES[self.name] and one.status < 400]

    @property
    def read_files(self) -> list[str]:
        return [file for file in self._answers if _fitting(file, self.read)]

    def replay(self, file: str) -> None:
        (pattern,) = _fitting(file, self.read)
        self.read[pattern](RECORDINGS[file])

    def check_complete(self) -> None:
        """Every answer is in one of the tables, and every line of these has an answer."""
        answers = self._answers
        neither = [file for file in answers if not _fitting(file, self.read) and not _fitting(file, self.not_read)]
        assert not neither, f"Give these to a service in `read`, or a reason in `not_read`: {', '.join(neither)}"
        both = [file for file in answers if _fitting(file, self.read) and _fitting(file, self.not_read)]
        assert not both, f"These are read: take them out of `not_read`: {', '.join(both)}"
        unused = [one for one in (*self.read, *self.not_read) if not any(fnmatch(file, one) for file in answers)]
        assert not unused, f"No file fits: {', '.join(unused)}"


def _fitting(file: str, patterns: Iterable[str]) -> list[str]:
    return [pattern for pattern in patterns if fnmatch(file, pattern)]
