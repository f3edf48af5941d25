"""Docker's schema 1 manifests, signed as docker signed them."""

import base64
import json

from sandbox.storage.manifest import SCHEMA_1
from tests.support.own_sandbox import APP, REGISTRY, OwnSandbox


def signed(payload: bytes) -> bytes:
    """A schema 1 manifest with one signature, as docker signed it: the payload is cut before its last line."""

    def encoded(content: bytes) -> str:
        return base64.urlsafe_b64encode(content).decode().rstrip("=")

    length = payload.rindex(b"\n}")
    header = {"formatLength": length, "formatTail": encoded(payload[length:]), "time": "2015-01-01T00:00:00Z"}
    signature = {"header": {"alg": "ES256"}, "signature": "c2ln", "protected": encoded(json.dumps(header).encode())}
    return payload[:length] + b',\n   "signatures": ' + json.dumps([signature], indent=3).encode() + payload[length:]


def old_payload(*layers: str, tag: str = "v1") -> bytes:
    body = {
        "schemaVersion": 1,
        "name": APP,
        "tag": tag,
        "architecture": "amd64",
        "fsLayers": [{"blobSum": layer} for layer in layers],
        "history": [{"v1Compatibility": json.dumps({"signatures": []})} for _ in layers],
    }
    return json.dumps(body, indent=3).encode()


def add_old(own: OwnSandbox, *layers: str, tag: str = "v1") -> str:
    stamp = own.sandbox.state.stamp()
    digest = own.sandbox.store.add_manifest(REGISTRY, APP, signed(old_payload(*layers, tag=tag)), SCHEMA_1, stamp)
    own.move(tag, digest)
    return digest
