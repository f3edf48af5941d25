"""What a registry answers about repositories, tags and manifests, made from a few values."""

import hashlib
import json
from typing import Any

CREATED = "2026-01-02T03:04:05.1234567Z"
UPDATED = "2026-01-03T03:04:05.123456Z"
UNLOCKED = {"deleteEnabled": True, "writeEnabled": True, "readEnabled": True, "listEnabled": True}
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"


def digest_of(number: int) -> str:
    """A digest that is well formed and of nothing."""
    return f"sha256:{number:064x}"


def tag(name: str, digest: str = digest_of(1), **changes: Any) -> dict[str, Any]:
    return {
        "name": name,
        "digest": digest,
        "createdTime": CREATED,
        "lastUpdateTime": UPDATED,
        "signed": False,
        "changeableAttributes": UNLOCKED,
        **changes,
    }


def entry(digest: str, **changes: Any) -> dict[str, Any]:
    """One manifest of a list, an image without tags. A member given as None is left out."""
    members = {
        "digest": digest,
        "imageSize": 1000,
        "createdTime": CREATED,
        "lastUpdateTime": UPDATED,
        "architecture": "amd64",
        "os": "linux",
        "mediaType": OCI_MANIFEST,
        "configMediaType": OCI_CONFIG,
        "changeableAttributes": UNLOCKED,
        **changes,
    }
    return {name: value for name, value in members.items() if value is not None}


def raw(body: Any) -> tuple[bytes, str]:
    """The bytes of a manifest, not in the form that json.dumps would give it again, and their digest."""
    content = json.dumps(body, indent=3).encode() + b"\n"
    return content, "sha256:" + hashlib.sha256(content).hexdigest()
