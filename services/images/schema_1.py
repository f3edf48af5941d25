"""Docker's image manifest version 2, schema 1: signed, without sizes, and with its config inside.

The digest of a signed one is the digest of its payload, which leaves the signatures out:
https://distribution.github.io/distribution/spec/deprecated-schema-v1/ and, for the payload,
https://github.com/distribution/distribution/blob/v2.8.3/manifest/schema1/manifest.go
"""

import base64
import json
import re
from collections.abc import Mapping
from typing import Any

SIGNED = "application/vnd.docker.distribution.manifest.v1+prettyjws"
UNSIGNED = "application/vnd.docker.distribution.manifest.v1+json"
SCHEMA_1 = (SIGNED, UNSIGNED)
LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"

_SIGNATURES = re.compile(rb',\s*"signatures"\s*:\s*\[.*\](?P<end>\s*\})\s*', re.DOTALL)


def is_schema_1(body: Mapping[str, Any], media_type: str) -> bool:
    """Whether the JSON of a manifest is of schema 1, by its Content-Type or its own version."""
    return media_type in SCHEMA_1 or (body.get("schemaVersion") == 1 and "fsLayers" in body)


def payload_of(raw: bytes) -> bytes:
    """The signed part of a manifest's bytes; all of them where nothing is signed. Only the payload is to be read: what
    stands beside it in `raw` may be anything."""
    return _payload_by_header(raw) or _payload_by_cutting(raw)


def _payload_by_header(raw: bytes) -> bytes:
    """The payload as the first signature's protected header describes it; b"" where it describes none."""
    try:
        protected = json.loads(raw)["signatures"][0]["protected"]
        header = json.loads(_decode(protected))
        length = header["formatLength"]
        # The signatures stand behind the payload: a length of none or of more would be no payload.
        return raw[:length] + _decode(header["formatTail"]) if 0 < length < len(raw) else b""
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError):
        return b""


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _payload_by_cutting(raw: bytes) -> bytes:
    found = _SIGNATURES.search(raw)
    return raw[: found.start()] + found["end"] if found and found.end() == len(raw) else raw
