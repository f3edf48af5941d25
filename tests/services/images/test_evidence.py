"""Signatures, SBOMs and provenance: what counts as which, and that what was not read is unknown."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from services.connection.data_plane import RegistryClient, path_of
from services.connection.errors import ServiceError
from services.connection.parallel import Partial, Refusal
from services.images.evidence import (
    Evidence,
    Proof,
    evidence_in,
    evidence_of_layers,
    has_proof,
    kind_label,
    makers_of,
    read_evidence,
)
from services.images.manifests import Descriptor, parse_manifest
from tests.support.canned import Answer, CannedRegistry
from tests.support.documents import OCI_CONFIG, OCI_INDEX, OCI_MANIFEST, raw

DIGEST = f"sha256:{'a' * 64}"
OTHER = f"sha256:{'b' * 64}"
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
PREDICATE = "dev.sigstore.bundle.predicateType"
SPDX, SLSA = "https://spdx.dev/Document/v2.3", "https://slsa.dev/provenance/v1"
REFUSED = Refusal("referrers", ServiceError("Could not list the referrers", "Denied.", "Ask.", "DENIED", 403))


def referrer(kind: str, **annotations: str) -> Descriptor:
    return Descriptor(OTHER, OCI_MANIFEST, 1, "", kind, tuple(annotations.items()))


@pytest.mark.parametrize(
    ("kind", "annotations", "proof", "maker"),
    [
        ("application/vnd.cncf.notary.signature", {}, Proof.SIGNATURE, "Notation"),
        ("application/vnd.dev.cosign.artifact.sig.v1+json", {}, Proof.SIGNATURE, "cosign"),
        ("application/vnd.dev.cosign.artifact.att.v1+json", {}, Proof.UNSTATED, "cosign"),
        ("application/spdx+json", {}, Proof.SBOM, "SPDX"),
        ("application/vnd.cyclonedx+json", {}, Proof.SBOM, "CycloneDX"),
        (
            BUNDLE,
            {"dev.sigstore.bundle.predicateType": "https://sigstore.dev/cosign/sign/v1"},
            Proof.SIGNATURE,
            "Sigstore",
        ),
        (BUNDLE, {"dev.sigstore.bundle.predicateType": SLSA}, Proof.PROVENANCE, "Sigstore"),
        (BUNDLE, {}, Proof.UNSTATED, "Sigstore"),
        ("application/vnd.in-toto+json", {"in-toto.io/predicate-type": SPDX}, Proof.SBOM, "in-toto"),
        ("application/vnd.trivy.report", {}, Proof.OTHER, "application/vnd.trivy.report"),
        ("", {}, Proof.OTHER, "of unknown type"),
    ],
)
def test_what_a_referrer_is(kind: str, annotations: dict[str, str], proof: Proof, maker: str) -> None:
    assert evidence_in(referrer(kind, **annotations), DIGEST) == Evidence(proof, maker, OTHER, DIGEST)


def test_an_attestation_of_buildkit_says_what_it_is_by_layer() -> None:
    layer = {"mediaType": "application/vnd.in-toto+json", "digest": OTHER, "size": 1}
    of = [{**layer, "annotations": {"in-toto.io/predicate-type": one}} for one in (SPDX, SLSA, SLSA)]
    manifest = parse_manifest(
        raw({"layers": of, "config": {"mediaType": OCI_CONFIG, "digest": OTHER, "size": 1}})[0], OCI_MANIFEST
    )
    found = evidence_of_layers(manifest, DIGEST, "BuildKit")
    assert [one.proof for one in found] == [Proof.SBOM, Proof.PROVENANCE]
    assert {one.subject for one in found} == {DIGEST}
    assert kind_label(manifest) == "Attestation"


def serve_tag(registry: CannedRegistry, kind: str, answer: Answer) -> None:
    path = path_of("/v2/app/manifests/{tag}", tag=f"{DIGEST.replace(':', '-')}.{kind}")
    registry.serve("GET", path, "repository:app:pull", answer)


GONE = Answer(404, {"errors": [{"code": "MANIFEST_UNKNOWN", "message": "gone"}]})
SIGNATURE = Answer(200, raw({"layers": []})[0], {"Content-Type": OCI_MANIFEST})


@pytest.mark.parametrize(
    ("sig", "signed", "sbom"),
    [
        (SIGNATURE, True, False),
        (GONE, False, False),
        (Answer(403, {"errors": [{"code": "DENIED", "message": "denied"}]}), None, None),
    ],
)
def test_a_signature_at_cosigns_tag(
    registry: CannedRegistry, client: RegistryClient, sig: Answer, signed: bool | None, sbom: bool | None
) -> None:
    for kind, answer in (("sig", sig), ("att", GONE), ("sbom", GONE)):
        serve_tag(registry, kind, answer)
    found = read_evidence(client, "app", DIGEST, lambda: ())
    assert has_proof(found, Proof.SIGNATURE) is signed
    assert has_proof(found, Proof.SBOM) is sbom
    assert makers_of(found, Proof.SIGNATURE) == (("cosign",) if signed else ())


def test_referrers_that_were_not_read_leave_it_unknown(registry: CannedRegistry, client: RegistryClient) -> None:
    for kind in ("sig", "att", "sbom"):
        serve_tag(registry, kind, GONE)

    def refuse() -> tuple[Descriptor, ...]:
        raise REFUSED.error

    found = read_evidence(client, "app", DIGEST, refuse)
    assert found.refused == (REFUSED,)
    assert has_proof(found, Proof.SIGNATURE) is None


@given(some.lists(some.sampled_from(Proof)), some.booleans(), some.integers(0, 2), some.sampled_from(Proof))
def test_no_is_said_only_where_all_was_read(proofs: list[Proof], refused: bool, untried: int, asked: Proof) -> None:
    values = tuple(Evidence(proof, "x", OTHER, DIGEST) for proof in proofs)
    found = has_proof(Partial(values, (REFUSED,) if refused else (), untried), asked)
    all_known = not refused and not untried and Proof.UNSTATED not in proofs
    assert found is (True if asked in proofs else False if all_known else None)


@pytest.mark.parametrize(
    ("body", "media_type", "label"),
    [
        ({"manifests": []}, OCI_INDEX, "Image index"),
        ({"config": {"mediaType": OCI_CONFIG, "digest": OTHER}, "layers": []}, OCI_MANIFEST, "Image"),
        (
            {"config": {"mediaType": "application/vnd.cncf.helm.config.v1+json", "digest": OTHER}, "layers": []},
            OCI_MANIFEST,
            "Helm chart",
        ),
        ({"artifactType": "application/vnd.cncf.notary.signature", "layers": []}, OCI_MANIFEST, "Signature"),
        ({"artifactType": "application/spdx+json", "layers": []}, OCI_MANIFEST, "SBOM"),
        ({"artifactType": BUNDLE, "layers": []}, OCI_MANIFEST, "Attestation"),
        ({"artifactType": "x/y", "layers": []}, OCI_MANIFEST, "Artifact"),
    ],
)
def test_what_a_manifest_is(body: dict[str, object], media_type: str, label: str) -> None:
    assert kind_label(parse_manifest(raw({**body, "mediaType": media_type})[0], media_type)) == label


def test_who_made_them_is_the_same_in_whatever_order_a_registry_lists_them() -> None:
    pieces = [Evidence(Proof.SIGNATURE, maker, DIGEST, DIGEST) for maker in ("Notation", "cosign", "Notation")]
    for order in permutations(pieces):
        assert makers_of(Partial(order), Proof.SIGNATURE) == ("cosign", "Notation")
