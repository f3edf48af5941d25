"""The packages of SBOMs: forms of today, wrapped or not, and whatever else is no SBOM."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from services.compare import sbom_reading
from services.compare.sbom import Package, Sbom, parse_sbom
from services.compare.sbom_reading import find_sbom, read_sbom
from services.connection.data_plane import RegistryClient
from services.connection.errors import ServiceError
from services.connection.parallel import Partial, Refusal
from services.images.evidence import Evidence, Proof
from services.images.manifests import parse_manifest
from tests.support.documents import OCI_CONFIG, OCI_MANIFEST, digest_of, raw
from tests.support.strategies import json_values

TITLE = "Could not read the SBOM"
SPDX_PREDICATE = "https://spdx.dev/Document"


def spdx(*packages: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"spdxVersion": "SPDX-2.3", "packages": list(packages), **more}


def of_spdx(name: str, version: str | None, purl: str = "", **more: Any) -> dict[str, Any]:
    references = [{"referenceType": "purl", "referenceLocator": purl}] if purl else []
    return {"name": name, "versionInfo": version, "externalRefs": references, **more}


def packages(body: Any) -> tuple[Package, ...]:
    return parse_sbom(json.dumps(body).encode(), TITLE).packages


def test_spdx_by_package_url_and_without() -> None:
    body = spdx(
        of_spdx("libssl3", "3.0.17", "pkg:deb/debian/libssl3@3.0.16?arch=amd64"),
        of_spdx("own", None),
        of_spdx("core", "7.28.4", "pkg:npm/%40babel/core@7.28.4"),
        of_spdx("core", "8.0.0", "pkg:npm/%40babel/core@8.0.0"),
    )
    assert packages(body) == (
        Package("", "own", ("",)),
        Package("deb", "debian/libssl3", ("3.0.17",)),
        Package("npm", "@babel/core", ("7.28.4", "8.0.0")),
    )


def test_the_image_itself_is_no_package_of_it() -> None:
    image = of_spdx("team/app", "sha256:1", SPDXID="SPDXRef-image")
    library = of_spdx("lib", "1", SPDXID="SPDXRef-lib")
    relation = {
        "spdxElementId": "SPDXRef-DOCUMENT",
        "relationshipType": "DESCRIBES",
        "relatedSpdxElement": "SPDXRef-image",
    }
    assert packages(spdx(image, library, relationships=[relation])) == (Package("", "lib", ("1",)),)
    assert packages(spdx(image, library, documentDescribes=["SPDXRef-image"])) == (Package("", "lib", ("1",)),)
    # Some tools name all packages there: then none of them is the image.
    assert len(packages(spdx(image, library, documentDescribes=["SPDXRef-image", "SPDXRef-lib"]))) == 2


def test_cyclonedx_with_components_within_components() -> None:
    inner = {"type": "library", "name": "b", "version": "2", "purl": "pkg:maven/org.x/b@2"}
    file = {"type": "file", "name": "/etc/passwd", "components": [inner]}
    body = {"bomFormat": "CycloneDX", "components": [{"type": "library", "group": "org.x", "name": "a"}, file]}
    assert packages(body) == (Package("", "org.x/a", ("",)), Package("maven", "org.x/b", ("2",)))


def test_attestations_envelopes_and_bundles_are_unwrapped() -> None:
    document = spdx(of_spdx("lib", "1"))
    statement = {"_type": "https://in-toto.io/Statement/v1", "predicateType": SPDX_PREDICATE, "predicate": document}
    payload = base64.b64encode(json.dumps(statement).encode()).decode()
    envelope = {"payloadType": "application/vnd.in-toto+json", "payload": payload, "signatures": []}
    for body in (document, statement, envelope, {"dsseEnvelope": envelope}):
        assert packages(body) == (Package("", "lib", ("1",)),)


@pytest.mark.parametrize(
    "content",
    [
        b"no json",
        b"",
        b"[]",
        b"[" * 100_000,
        b'{"spdxVersion": "SPDX-3.0"}',
        b'{"spdxVersion": "SPDX-2.3", "packages": 7}',
        b'{"spdxVersion": "SPDX-2.3", "packages": [{}]}',
        b'{"bomFormat": "CycloneDX", "components": {"a": 1}}',
        b'{"payloadType": "x", "payload": "%%%"}',
    ],
)
def test_what_is_no_sbom_is_said(content: bytes) -> None:
    with pytest.raises(ServiceError) as caught:
        parse_sbom(content, TITLE)
    assert caught.value.code == "NotAnSbom"


@given(some.sampled_from(["packages", "components", "predicate", "relationships"]), json_values)
def test_any_json_is_an_sbom_or_none(member: str, value: Any) -> None:
    body = {"spdxVersion": "SPDX-2.3", "bomFormat": "CycloneDX", member: value}
    if member == "components":
        del body["spdxVersion"]
    if member == "predicate":
        body["predicateType"] = SPDX_PREDICATE
    try:
        assert isinstance(parse_sbom(json.dumps(body).encode(), TITLE), Sbom)
    except ServiceError as error:
        assert error.code == "NotAnSbom"


# Found and read

IMAGE, INDEX = digest_of(1), digest_of(2)
NONE = Sbom("SPDX", ())


def evidence(proof: Proof, digest: str, subject: str = IMAGE) -> Evidence:
    return Evidence(proof, "x", digest, subject)


def refuse(code: str) -> ServiceError:
    return ServiceError(TITLE, "It has 50 MiB.", "Make it smaller.", code)


def test_that_of_the_image_comes_before_that_of_its_index() -> None:
    of_both = Partial((evidence(Proof.SBOM, digest_of(5), INDEX), evidence(Proof.SBOM, digest_of(4))))
    found = find_sbom(of_both, [IMAGE, INDEX], lambda _digest: NONE)
    assert found.digest == digest_of(4)
    of_another = Partial((evidence(Proof.SBOM, digest_of(4), digest_of(9)),))
    assert find_sbom(of_another, [IMAGE, INDEX], lambda _digest: NONE).sbom is None


def test_no_sbom_is_said_only_where_all_was_read() -> None:
    def never(_digest: str) -> Sbom:
        raise AssertionError("there is nothing to read")

    none = find_sbom(Partial(()), [IMAGE], never)
    assert (none.sbom, none.unknown) == (None, False)
    refused = find_sbom(Partial((), (Refusal("referrers", refuse("DENIED")),)), [IMAGE], never)
    assert refused.unknown and "could not be read" in refused.why
    stopped = find_sbom(Partial((), untried=1), [IMAGE], never)
    assert stopped.unknown


@pytest.mark.parametrize(
    ("proof", "code", "unknown"),
    [
        (Proof.SBOM, "NotAnSbom", True),
        (Proof.SBOM, "SbomTooLarge", True),
        # A bundle that does not say of what it is, and is no SBOM: a signature.
        (Proof.UNSTATED, "NotAnSbom", False),
        (Proof.UNSTATED, "DENIED", True),
    ],
)
def test_an_sbom_that_can_not_be_read_is_unknown(proof: Proof, code: str, unknown: bool) -> None:
    def read(_digest: str) -> Sbom:
        raise refuse(code)

    found = find_sbom(Partial((evidence(proof, digest_of(4)),)), [IMAGE], read)
    assert found.sbom is None
    assert found.unknown is unknown


def test_the_next_sbom_is_read_where_the_first_can_not_be() -> None:
    def read(digest: str) -> Sbom:
        if digest == digest_of(4):
            raise refuse("NotAnSbom")
        return NONE

    found = find_sbom(Partial((evidence(Proof.SBOM, digest_of(4)), evidence(Proof.SBOM, digest_of(5)))), [IMAGE], read)
    assert found.digest == digest_of(5)


def test_a_large_sbom_is_not_asked_for(client: RegistryClient) -> None:
    config = {"mediaType": OCI_CONFIG, "digest": digest_of(8), "size": 2}
    layer = {"mediaType": "application/spdx+json", "digest": digest_of(7), "size": 50 * 2**20}
    with pytest.raises(ServiceError) as caught:
        read_sbom(client, "app", parse_manifest(raw({"config": config, "layers": [layer]})[0], OCI_MANIFEST))
    assert caught.value.code == "SbomTooLarge"
    assert "50 MiB" in caught.value.cause
    assert f"{sbom_reading.LARGEST_SBOM >> 20} MiB" in caught.value.cause


def test_a_manifest_without_content_has_no_sbom(client: RegistryClient) -> None:
    config = {"mediaType": OCI_CONFIG, "digest": digest_of(8), "size": 2}
    with pytest.raises(ServiceError) as caught:
        read_sbom(client, "app", parse_manifest(raw({"config": config, "layers": []})[0], OCI_MANIFEST))
    assert caught.value.code == "NotAnSbom"
