"""What a registry has about an image beside the image: signatures, SBOMs, provenance. Found, never verified.

They are referrers (OCI 1.1), manifests at cosign's tags sha256-….sig, .att and .sbom, or attestations that BuildKit
adds to the index:
https://github.com/opencontainers/image-spec/blob/main/manifest.md#guidelines-for-artifact-usage
https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md
https://github.com/moby/buildkit/blob/master/docs/attestations/attestation-storage.md
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from services.connection.data_plane import RegistryClient
from services.connection.errors import ServiceError, if_there, says_gone
from services.connection.parallel import Partial, Refusal, parallel_map
from services.images.manifest_reading import read_manifest
from services.images.manifests import Descriptor, Kind, Manifest

IN_TOTO = "application/vnd.in-toto+json"
HELM_CONFIG = "application/vnd.cncf.helm.config.v1+json"
_BUNDLE = "application/vnd.dev.sigstore.bundle"
# Annotations that name the predicate type of an attestation.
PREDICATES = ("in-toto.io/predicate-type", "dev.sigstore.bundle.predicateType", "predicateType")


class Proof(StrEnum):
    """What a piece of evidence is. OTHER is an attestation of something else; UNSTATED one that does not say of what,
    and a bundle that may as well be a signature."""

    SIGNATURE = "Signature"
    SBOM = "SBOM"
    PROVENANCE = "Provenance"
    OTHER = "Attestation"
    UNSTATED = "Attestation of unknown content"


@dataclass(frozen=True)
class Evidence:
    """One piece: `maker` is the tool or the format (Notation, cosign, SPDX), `digest` the manifest that has it,
    `subject` the digest that it is about."""

    proof: Proof
    maker: str
    digest: str
    subject: str


def evidence_in(referrer: Descriptor, subject: str) -> Evidence:
    """What a referrer is, by its artifact type and annotations. Pure."""
    kind = referrer.artifact_type
    if predicate := _predicate(dict(referrer.annotations)):
        return Evidence(proof_of_predicate(predicate), _maker(kind) or "in-toto", referrer.digest, subject)
    return Evidence(_by_type(kind), _maker(kind) or kind or "of unknown type", referrer.digest, subject)


def evidence_of_layers(manifest: Manifest, subject: str, maker: str) -> tuple[Evidence, ...]:
    """What the layers of a manifest of attestations say, each by its predicate type. Pure."""
    found = (
        Evidence(proof_of_predicate(_predicate(dict(layer.annotations))), maker, manifest.digest, subject)
        for layer in manifest.layers
    )
    return tuple(dict.fromkeys(found))


def read_evidence(
    client: RegistryClient,
    repository: str,
    digest: str,
    referrers: Callable[[], Iterable[Descriptor]],
    attestations: Partial[Manifest] | None = None,
    attested: Callable[[str], str] = lambda _digest: "",
) -> Partial[Evidence]:
    """The evidence of one digest: its `referrers`, which are read here, cosign's three tags (a request each), and the
    `attestations` that an index lists, of which `attested` says the subject. What could not be read is refused."""
    found: list[Evidence] = []
    refused: list[Refusal] = list(attestations.refused) if attestations else []
    try:
        found += (evidence_in(referrer, digest) for referrer in referrers())
    except ServiceError as error:
        refused.append(Refusal("referrers", error))
    tags = parallel_map(
        lambda kind: _read_cosign_tag(client, repository, digest, kind),
        ("sig", "att", "sbom"),
        server=client.login_server,
        name=lambda kind: f"{digest.replace(':', '-')}.{kind}",
    )
    found += (one for of_tag in tags.values for one in of_tag)
    refused += tags.refused
    for manifest in attestations.values if attestations else ():
        found += evidence_of_layers(manifest, attested(manifest.digest), "BuildKit")
    return Partial(tuple(found), tuple(refused), attestations.untried if attestations else 0)


def has_proof(evidence: Partial[Evidence], proof: Proof) -> bool | None:
    """Whether there is such a piece; None where that is not known."""
    if any(one.proof is proof for one in evidence.values):
        return True
    unstated = any(one.proof is Proof.UNSTATED for one in evidence.values)
    return False if evidence.complete and not unstated else None


def makers_of(evidence: Partial[Evidence], proof: Proof) -> tuple[str, ...]:
    """Who made such pieces, each once, by name: a registry lists referrers in no order."""
    return tuple(sorted({one.maker for one in evidence.values if one.proof is proof}, key=str.casefold))


def kind_label(manifest: Manifest) -> str:
    """What a manifest is, as people say: Image index, Image, Helm chart, Signature … Pure."""
    if manifest.kind is Kind.INDEX:
        return "Image index"
    if manifest.kind is Kind.IMAGE:
        in_toto = bool(manifest.layers) and all(layer.media_type == IN_TOTO for layer in manifest.layers)
        return "Attestation" if in_toto else "Image"
    if manifest.artifact_type == HELM_CONFIG:
        return "Helm chart"
    own = Descriptor(manifest.digest, manifest.media_type, None, "", manifest.artifact_type, manifest.annotations)
    found = evidence_in(own, "").proof
    return "Artifact" if found is Proof.OTHER else "Attestation" if found is Proof.UNSTATED else found.value


def _read_cosign_tag(client: RegistryClient, repository: str, digest: str, kind: str) -> tuple[Evidence, ...]:
    tag = f"{digest.replace(':', '-')}.{kind}"
    manifest = if_there(lambda: read_manifest(client, repository, tag), says_gone)
    if manifest is None:
        return ()
    if kind == "att":
        return evidence_of_layers(manifest, digest, "cosign")
    return (Evidence(Proof.SIGNATURE if kind == "sig" else Proof.SBOM, "cosign", manifest.digest, digest),)


def _predicate(annotations: dict[str, str]) -> str:
    return next((annotations[name] for name in PREDICATES if annotations.get(name)), "")


def proof_of_predicate(predicate: str) -> Proof:
    """What an attestation with this predicate type is. Pure.

    https://github.com/in-toto/attestation/tree/main/spec/predicates"""
    known: Iterator[Proof] = (
        proof
        for part, proof in (
            ("cosign/sign/", Proof.SIGNATURE),
            ("spdx.dev/document", Proof.SBOM),
            ("cyclonedx", Proof.SBOM),
            ("slsa.dev/provenance", Proof.PROVENANCE),
        )
        if part in predicate.casefold()
    )
    return next(known, Proof.OTHER if predicate else Proof.UNSTATED)


def _by_type(kind: str) -> Proof:
    kind = kind.casefold()
    if kind.startswith(_BUNDLE) or "in-toto" in kind or "cosign.artifact.att" in kind:
        return Proof.UNSTATED
    if "signature" in kind or "cosign.artifact.sig" in kind:
        return Proof.SIGNATURE
    return Proof.SBOM if any(name in kind for name in ("sbom", "spdx", "cyclonedx", "syft")) else Proof.OTHER


def _maker(kind: str) -> str:
    kind = kind.casefold()
    known = (
        ("cncf.notary", "Notation"),
        ("cosign", "cosign"),
        ("sigstore", "Sigstore"),
        ("spdx", "SPDX"),
        ("cyclonedx", "CycloneDX"),
        ("syft", "Syft"),
    )
    return next((name for part, name in known if part in kind), "")
