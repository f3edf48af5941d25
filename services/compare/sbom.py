"""The packages that an SBOM lists: SPDX 2 and CycloneDX as JSON, by themselves or within an attestation of in-toto.

https://spdx.github.io/spdx-spec/v2.3/, https://cyclonedx.org/docs/1.6/json/,
https://github.com/in-toto/attestation/blob/main/spec/README.md
"""

import base64
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from services.connection.answers import parse_json
from services.connection.errors import ServiceError

# An attestation within an envelope within a bundle; nobody wraps deeper.
_DEEPEST_WRAPPING = 4
# Of CycloneDX: a component within a component. Those below are left out, and nothing is built so.
_DEEPEST_COMPONENT = 50
_REMEDY = "See whether the tool that made it can write SPDX 2.3 or CycloneDX as JSON."


@dataclass(frozen=True, order=True)
class Package:
    """A package by its `kind` (deb, npm, nuget …, '' where the SBOM does not say) and `name`, in all its versions."""

    kind: str
    name: str
    versions: tuple[str, ...]


@dataclass(frozen=True)
class Sbom:
    """An SBOM: `form` is SPDX or CycloneDX, `packages` are sorted, each name of a kind once."""

    form: str
    packages: tuple[Package, ...]


def parse_sbom(raw: bytes, title: str) -> Sbom:
    """The packages of an SBOM. Raises ServiceError (NotAnSbom) under `title` for anything else."""
    try:
        return _sbom(parse_json(raw), title)
    except RecursionError as exc:
        raise _no_sbom(title, "It nests too deep.") from exc
    except ValueError as exc:
        raise _no_sbom(title, "It is not JSON.") from exc
    except (AttributeError, KeyError, TypeError) as exc:
        raise _no_sbom(title, "It is not of the form that it claims.") from exc


def _no_sbom(title: str, cause: str) -> ServiceError:
    return ServiceError(title, cause, _REMEDY, "NotAnSbom")


def _sbom(body: Any, title: str) -> Sbom:
    for _ in range(_DEEPEST_WRAPPING):
        inner = _unwrapped(body)
        if inner is None:
            break
        body = inner
    if isinstance(body, Mapping) and str(body.get("spdxVersion") or "").startswith("SPDX-2"):
        return Sbom("SPDX", _joined(_of_spdx(body)))
    if isinstance(body, Mapping) and body.get("bomFormat") == "CycloneDX":
        return Sbom("CycloneDX", _joined(_of_components(body.get("components"), 0)))
    raise _no_sbom(title, "It is neither SPDX 2 nor CycloneDX.")


def _unwrapped(body: Any) -> Any:
    """What is within a bundle, an envelope or a statement; None for what is none of these."""
    if not isinstance(body, Mapping):
        return None
    if isinstance(body.get("dsseEnvelope"), Mapping):
        return body["dsseEnvelope"]
    if isinstance(body.get("payload"), str) and "payloadType" in body:
        return parse_json(base64.b64decode(body["payload"]))
    if "predicateType" in body:
        return body.get("predicate")
    return None


def _of_spdx(body: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    packages = [package for package in body.get("packages") or () if isinstance(package, Mapping)]
    described = _described(body)
    subject = described if len(described) == 1 and len(packages) > 1 else set()
    for package in packages:
        if str(package.get("SPDXID")) in subject or package.get("primaryPackagePurpose") == "CONTAINER":
            continue  # The image itself.
        references = package.get("externalRefs") or ()
        purls = [str(one.get("referenceLocator")) for one in references if one.get("referenceType") == "purl"]
        yield _identity(purls[0] if purls else "", str(package["name"]), _text(package.get("versionInfo")))


def _described(body: Mapping[str, Any]) -> set[str]:
    """The ids of what the document says that it is about."""
    related = (
        one.get("relatedSpdxElement")
        for one in body.get("relationships") or ()
        if one.get("relationshipType") == "DESCRIBES" and one.get("spdxElementId") == "SPDXRef-DOCUMENT"
    )
    return {str(one) for one in (*(body.get("documentDescribes") or ()), *related)}


def _of_components(components: Any, depth: int) -> Iterator[tuple[str, str, str]]:
    if depth == _DEEPEST_COMPONENT:
        return
    for one in components or ():
        if one.get("type") != "file":
            group = _text(one.get("group"))
            name = f"{group}/{one['name']}" if group else str(one["name"])
            yield _identity(_text(one.get("purl")), name, _text(one.get("version")))
        yield from _of_components(one.get("components"), depth + 1)


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _identity(purl: str, name: str, version: str) -> tuple[str, str, str]:
    """Kind, name and version: by the package URL where there is one, as it is the same for every tool.

    https://github.com/package-url/purl-spec: pkg:type/namespace/name@version?qualifiers#subpath
    """
    if not purl.startswith("pkg:"):
        return "", name, version
    path = purl.removeprefix("pkg:").partition("#")[0].partition("?")[0]
    kind, _, rest = path.strip("/").partition("/")
    # An npm scope begins with @, which is escaped or not: the version's is the last one behind the last slash.
    before, _, last = rest.rpartition("/")
    called, at, of_purl = last.partition("@") if not last.startswith("@") else (last, "", "")
    if not called:
        return kind.lower(), name, version
    full = f"{before}/{called}" if before else called
    return kind.lower(), unquote(full), version or (unquote(of_purl) if at else "")


def _joined(found: Iterable[tuple[str, str, str]]) -> tuple[Package, ...]:
    """Each name of a kind once, with its versions."""
    versions: dict[tuple[str, str], set[str]] = {}
    for kind, name, version in found:
        versions.setdefault((kind, name), set()).add(version)
    return tuple(sorted(Package(kind, name, tuple(sorted(of))) for (kind, name), of in versions.items()))
