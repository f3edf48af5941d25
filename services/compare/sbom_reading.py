"""The SBOM of one image, read from the registry: which of the evidence about it has one, and what is in that."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from services.compare.sbom import Sbom, parse_sbom
from services.connection.data_plane import RegistryClient
from services.connection.errors import ServiceError
from services.connection.parallel import Partial
from services.images.evidence import PREDICATES, Evidence, Proof, proof_of_predicate
from services.images.manifest_reading import read_blob
from services.images.manifests import Descriptor, Manifest

# A large image's SBOM has some ten megabytes; parsed, JSON takes several times its bytes.
LARGEST_SBOM = 32 * 2**20
# An image has one SBOM, or one of each tool.
MOST_SBOMS = 4


@dataclass(frozen=True)
class FoundSbom:
    """The SBOM of an image, None with the reason in `why`: there is none, or `unknown`, whether there is or what it
    lists. `digest` is the manifest that has it, '' where none was read."""

    sbom: Sbom | None
    why: str = ""
    unknown: bool = False
    digest: str = ""


def find_sbom(evidence: Partial[Evidence], subjects: Iterable[str], read: Callable[[str], Sbom]) -> FoundSbom:
    """The first SBOM of these `subjects` (the image, then the index that lists it) that `read` can read, by the digest
    of the manifest that has it."""
    order = {subject: number for number, subject in enumerate(subjects)}
    about = sorted((one for one in evidence.values if one.subject in order), key=lambda one: order[one.subject])
    named = dict.fromkeys(one.digest for one in about if one.proof is Proof.SBOM)
    unstated = dict.fromkeys(one.digest for one in about if one.proof is Proof.UNSTATED)
    failed = ""
    for digest in [*named, *unstated][:MOST_SBOMS]:
        try:
            return FoundSbom(read(digest), digest=digest)
        except ServiceError as error:
            if digest in named or error.code != "NotAnSbom":
                failed = failed or error.cause
    if failed:
        return FoundSbom(None, f"Its SBOM could not be read: {failed.rstrip('.')}", unknown=True)
    if not evidence.complete:
        why = evidence.refused[0].error.cause.rstrip(".") if evidence.refused else "not all of it was read"
        return FoundSbom(None, f"What refers to it could not be read: {why}", unknown=True)
    return FoundSbom(None, "No SBOM refers to it")


def read_sbom(client: RegistryClient, repository: str, manifest: Manifest) -> Sbom:
    """The SBOM in a referrer or an attestation. Raises ServiceError: SbomTooLarge, NotAnSbom, and what reading a blob
    raises."""
    title = f"Could not read the SBOM {repository}@{manifest.digest}"
    layer = _layer(manifest)
    if layer is None:
        raise ServiceError(title, "Its manifest has no content.", "Attach the SBOM again.", "NotAnSbom")
    if (layer.size or 0) > LARGEST_SBOM:
        raise ServiceError(
            title,
            f"It has {(layer.size or 0) / 2**20:,.0f} MiB, and the console reads up to {LARGEST_SBOM >> 20} MiB.",
            "Leave out the files of packages when it is made: the packages alone take a small part of that.",
            "SbomTooLarge",
        )
    return parse_sbom(read_blob(client, repository, layer.digest, LARGEST_SBOM, title), title)


def _layer(manifest: Manifest) -> Descriptor | None:
    """The layer that is an SBOM by its predicate or its type; else the first."""

    def is_sbom(layer: Descriptor) -> bool:
        predicate = next((layer.annotation(name) for name in PREDICATES if layer.annotation(name)), "")
        kind = layer.media_type.casefold()
        return proof_of_predicate(predicate) is Proof.SBOM or "spdx" in kind or "cyclonedx" in kind

    return next((layer for layer in manifest.layers if is_sbom(layer)), next(iter(manifest.layers), None))
