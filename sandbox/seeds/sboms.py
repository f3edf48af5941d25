"""SBOMs of the estate's images: what a build step would attach, as SPDX and as CycloneDX."""

from __future__ import annotations

import json
from typing import Any

# Name, kind, and the version by the number of the release: most stay, a few move on, one comes and one goes.
_BASE = (
    ("deb", "debian/base-files", ("12.4+deb12u11",)),
    ("deb", "debian/bash", ("5.2.15-2+b8",)),
    ("deb", "debian/ca-certificates", ("20230311", "20230311+deb12u1")),
    ("deb", "debian/libc6", ("2.36-9+deb12u10", "2.36-9+deb12u13")),
    ("deb", "debian/libssl3", ("3.0.16-1~deb12u1", "3.0.17-1~deb12u3")),
    ("deb", "debian/tzdata", ("2025b-0+deb12u1", "2025b-0+deb12u2")),
    ("deb", "debian/zlib1g", ("1:1.2.13.dfsg-1",)),
)
_APPLICATION = (
    ("nuget", "Microsoft.AspNetCore.Authentication.JwtBearer", ("9.0.8", "9.0.9")),
    ("nuget", "Microsoft.EntityFrameworkCore", ("9.0.8", "9.0.9")),
    ("nuget", "Npgsql", ("9.0.3",)),
    ("nuget", "OpenTelemetry", ("1.12.0",)),
    ("nuget", "Polly", ("8.6.3", "8.6.4")),
    ("nuget", "Serilog", ("4.3.0",)),
    ("nuget", "System.Text.Json", ("9.0.8", "9.0.9")),
)
_ONLY_BEFORE = ("nuget", "Newtonsoft.Json", ("13.0.3",))
_ONLY_LAST = ("nuget", "Azure.Identity", ("1.16.0",))


def _packages(*, last: bool) -> list[tuple[str, str, str]]:
    found = (*_BASE, *_APPLICATION, _ONLY_LAST if last else _ONLY_BEFORE)
    return [(kind, name, versions[-1] if last else versions[0]) for kind, name, versions in found]


def spdx(image: str, at: str, *, last: bool) -> bytes:
    """SPDX 2.3 of an image; `last`: of its last release."""
    packages: list[dict[str, Any]] = [
        {"SPDXID": "SPDXRef-image", "name": image, "primaryPackagePurpose": "CONTAINER", "downloadLocation": "NONE"}
    ]
    packages += [
        {
            "SPDXID": f"SPDXRef-{number}",
            "name": name.rpartition("/")[2],
            "versionInfo": version,
            "downloadLocation": "NOASSERTION",
            "externalRefs": [
                {
                    "referenceCategory": "PACKAGE-MANAGER",
                    "referenceType": "purl",
                    "referenceLocator": f"pkg:{kind}/{name}@{version}",
                }
            ],
        }
        for number, (kind, name, version) in enumerate(_packages(last=last), 1)
    ]
    document = {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": image,
        "documentNamespace": f"https://contoso.example/sbom/{image}",
        "creationInfo": {"created": at, "creators": ["Tool: contoso-build"]},
        "packages": packages,
        "relationships": [
            {
                "spdxElementId": "SPDXRef-DOCUMENT",
                "relationshipType": "DESCRIBES",
                "relatedSpdxElement": "SPDXRef-image",
            }
        ],
    }
    return json.dumps(document).encode()


def cyclonedx(image: str, at: str, *, last: bool) -> bytes:
    """CycloneDX 1.6 of an image; `last`: of its last release."""
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"timestamp": at, "component": {"type": "container", "name": image}},
        "components": [
            {
                "type": "library",
                "name": name.rpartition("/")[2],
                "version": version,
                "purl": f"pkg:{kind}/{name}@{version}",
            }
            for kind, name, version in _packages(last=last)
        ],
    }
    return json.dumps(document).encode()
