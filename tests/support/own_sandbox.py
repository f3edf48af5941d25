"""A sandbox of a test's own, to write to and to break, with one image in `team/app` of casaacr01."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from sandbox.documents.registry_rules import REGISTRY_TYPE, created
from sandbox.monitor.diagnostic_settings import CATEGORIES, setting
from sandbox.monitor.workspaces import workspace
from sandbox.registry.repository_events import workspaces_of
from sandbox.server import Sandbox
from sandbox.storage.events import RepositoryEvent
from sandbox.storage.store import Locks, timestamp
from services.connection.data_plane import RegistryClient, path_of
from services.connection.session import AzureSession, connect_sandbox
from services.registries.reading import get_registry
from services.registries.registry import Registry
from tests.support.documents import OCI_CONFIG, OCI_INDEX, OCI_LAYER, OCI_MANIFEST, digest_of

REGISTRY = "casaacr01"
APP = "team/app"


class OwnSandbox:
    """The sandbox behind its walls (`sandbox.store`) and from outside (`client`)."""

    def __init__(self, sandbox: Sandbox, faults: Path) -> None:
        self.sandbox = sandbox
        self._faults = faults
        self.client = self._connected(as_reader=False)

    def session(self, *, as_reader: bool = False) -> AzureSession:
        return connect_sandbox(self.sandbox.ready, as_reader=as_reader)

    def registry(self, name: str = REGISTRY) -> Registry:
        """One as the console reads it."""
        document = self.sandbox.store.find_resource(REGISTRY_TYPE, name)
        assert document
        return get_registry(self.session(), document["id"])

    def make_registry(self, name: str, sku: str = "Premium", **properties: Any) -> Registry:
        """Another registry beside casaacr01, in its resource group."""
        body = {"location": "eastus", "sku": {"name": sku}, "properties": properties}
        resource_id = f"{self.registry().id.rpartition('/')[0]}/{name}"
        self.sandbox.store.put_resource(created(resource_id, name, body, self.sandbox.state.stamp()))
        self.sandbox.state.open_registry(name)
        return self.registry(name)

    def make_workspace(self, name: str = "logs", *, by_resource: bool = True) -> str:
        """A Log Analytics workspace in the registry's resource group: its id."""
        group_id = self.registry().id.partition("/providers/")[0]
        document = workspace(group_id, name, "eastus", "5f0c1e2a-0000-4000-8000-000000000000", by_resource=by_resource)
        self.sandbox.store.put_resource(document)
        return str(document["id"])

    def send_logs(self, workspace_id: str, name: str = "logs") -> None:
        """The registry's events go to the workspace from now on."""
        logs = [{"category": CATEGORIES[0], "enabled": True}]
        self.sandbox.store.put_resource(setting(self.registry().id, name, workspace_id, logs))

    def log(
        self, operation: str, days: float, repository: str, digest: str = "", tag: str = "", agent: str = "containerd"
    ) -> None:
        """An event of so many days ago in the workspace that gets the registry's."""
        registry_id = self.registry().id
        at = timestamp(self.sandbox.state.clock() - timedelta(days=days))
        self.sandbox.store.events.add(
            RepositoryEvent(registry_id, one, at, operation, repository, tag, digest, "nodes", "203.0.113.9", agent)
            for one in workspaces_of(self.sandbox.store, registry_id)
        )

    def as_reader(self) -> RegistryClient:
        return self._connected(as_reader=True)

    def _connected(self, *, as_reader: bool) -> RegistryClient:
        ready = self.sandbox.ready
        return connect_sandbox(ready, as_reader=as_reader).registry(ready["registries"][REGISTRY])

    def push_index(self, *tags: str, numbers: range = range(1, 3), repository: str = APP) -> str:
        """An index of that many images, under these tags: its digest."""
        children = [self.push(number=number, repository=repository) for number in numbers]
        body = {
            "schemaVersion": 2,
            "mediaType": OCI_INDEX,
            "manifests": [
                {
                    "mediaType": OCI_MANIFEST,
                    "digest": digest,
                    "size": len(raw),
                    "platform": {"os": "linux", "architecture": f"a{number}"},
                }
                for number, (digest, raw) in zip(numbers, children, strict=True)
            ],
        }
        index = json.dumps(body).encode()
        self.sandbox.store.add_manifest(REGISTRY, repository, index, OCI_INDEX, self.sandbox.state.stamp())
        digest = "sha256:" + hashlib.sha256(index).hexdigest()
        for tag in tags:
            self.move(tag, digest, repository)
        return digest

    def push(self, *tags: str, number: int = 1, repository: str = APP) -> tuple[str, bytes]:
        """An image in bytes that json.dumps would not give again, under these tags: its digest and its bytes."""
        body = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": {"mediaType": OCI_CONFIG, "digest": digest_of(number), "size": 100},
            "layers": [],
            "annotations": {"org.opencontainers.image.title": "größe"},
        }
        raw = json.dumps(body, indent=3, ensure_ascii=False).replace("\n", "\r\n").encode() + b"\r\n \n"
        self.sandbox.store.add_manifest(REGISTRY, repository, raw, OCI_MANIFEST, self.sandbox.state.stamp())
        digest = "sha256:" + hashlib.sha256(raw).hexdigest()
        for tag in tags:
            self.move(tag, digest, repository)
        return digest, raw

    def send_image(self, *tags: str, config: bytes = b"{}", title: str = "one") -> str:
        """An image pushed with its config and a layer, under these tags: its digest. Its blobs are there as long as an
        image of the repository has them."""
        layer = b"the layer"
        body = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": {"mediaType": OCI_CONFIG, "digest": self._send_blob(config), "size": len(config)},
            "layers": [{"mediaType": OCI_LAYER, "digest": self._send_blob(layer), "size": len(layer)}],
            "annotations": {"org.opencontainers.image.title": title},
        }
        return self.send(json.dumps(body, indent=1).encode(), OCI_MANIFEST, *tags)

    def send(self, raw: bytes, media_type: str, *tags: str) -> str:
        """A manifest of these bytes pushed under these tags, or by its digest: its digest."""
        digest = "sha256:" + hashlib.sha256(raw).hexdigest()
        for reference in tags or (digest,):
            path = path_of("/v2/{repository}/manifests/{reference}", repository=APP, reference=reference)
            self.client.send("PUT", path, content=raw, headers={"Content-Type": media_type})
        return digest

    def _send_blob(self, raw: bytes) -> str:
        digest = "sha256:" + hashlib.sha256(raw).hexdigest()
        begun = self.client.send("POST", path_of("/v2/{repository}/blobs/uploads/", repository=APP))
        location = begun.headers["Location"]
        self.client.send("PUT", f"{location}{'&' if '?' in location else '?'}digest={digest}", content=raw)
        return digest

    def attach(self, subject: str, kind: str = "application/vnd.example.signature", tag: str = "") -> str:
        """An artifact of that type that refers to `subject`, or with a tag is found by that alone: its digest."""
        body: dict[str, Any] = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "artifactType": kind,
            "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": digest_of(99), "size": 2},
            "layers": [],
            "annotations": {"of": subject},
        }
        if not tag:
            body["subject"] = {"mediaType": OCI_MANIFEST, "digest": subject, "size": 1}
        raw = json.dumps(body).encode()
        self.sandbox.store.add_manifest(REGISTRY, APP, raw, OCI_MANIFEST, self.sandbox.state.stamp())
        digest = "sha256:" + hashlib.sha256(raw).hexdigest()
        if tag:
            self.move(tag, digest)
        return digest

    def move(self, tag: str, digest: str, repository: str = APP) -> None:
        self.sandbox.store.add_tag(REGISTRY, repository, tag, digest, self.sandbox.state.stamp())

    def remove(self, tag: str) -> None:
        self.sandbox.store.delete_tag(REGISTRY, APP, tag, self.sandbox.state.stamp())

    def lock_tag(self, tag: str, **locks: bool) -> None:
        self.sandbox.store.set_tag_locks(REGISTRY, APP, tag, Locks(**locks), self.sandbox.state.stamp())

    def lock_repository(self, **locks: bool) -> None:
        self.sandbox.store.set_repository_locks(REGISTRY, APP, Locks(**locks), self.sandbox.state.stamp())

    def tags(self, repository: str = APP, registry: str = REGISTRY) -> dict[str, str]:
        """Every tag and its digest, as the store has them."""
        return {tag.name: tag.digest for tag in self.sandbox.store.list_tags(registry, repository)}

    def break_(self, *rules: dict[str, Any]) -> None:
        self._faults.write_text(json.dumps(rules))

    def writes(self) -> Counter[tuple[str, str, int]]:
        """How often each write was answered: by method, path and status."""
        written = ("PUT", "PATCH", "DELETE")
        found = [request for request in self.sandbox.requests if request.method in written]
        return Counter((request.method, request.path, request.status) for request in found)


@contextmanager
def own_sandbox(folder: Path) -> Iterator[OwnSandbox]:
    """Runs one in `folder`."""
    faults = folder / "faults.json"
    faults.write_text("[]")
    with Sandbox.start(folder / "sandbox", "walkthrough", faults=faults) as sandbox:
        yield OwnSandbox(sandbox, faults)


def keep_deleted(own: OwnSandbox, days: int, name: str = REGISTRY) -> None:
    """Turns the soft delete policy of a registry on."""
    document = own.sandbox.store.find_resource(REGISTRY_TYPE, name)
    assert document
    document["properties"]["policies"]["softDeletePolicy"] = {"status": "enabled", "retentionDays": days}
    own.sandbox.store.put_resource(document)
