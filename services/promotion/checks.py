"""What is checked of an image before it is promoted. Pure. What is unknown does not pass."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from services.connection.parallel import Partial
from services.images.evidence import Evidence, Proof, has_proof, makers_of
from services.running.images import ClusterImages
from services.running.join import PlacedImage
from services.running.unasked import MOST_AGE
from services.wording import counted


class Verdict(StrEnum):
    """How a check ended."""

    PASSED = "Passed"
    FAILED = "Failed"
    UNKNOWN = "Unknown"


@dataclass(frozen=True)
class Check:
    """One check: what was asked, how it ended, and why in a sentence."""

    name: str
    verdict: Verdict
    why: str


SIGNED, SBOM = "Signed", "SBOM"


def check_signature(evidence: Partial[Evidence], digest: str) -> Check:
    """Whether a signature of `digest` itself is there. It is not verified."""
    own = _about(evidence, {digest})
    known = has_proof(own, Proof.SIGNATURE)
    if known:
        makers = ", ".join(makers_of(own, Proof.SIGNATURE))
        return Check(SIGNED, Verdict.PASSED, f"A signature is there ({makers}). It was not verified.")
    if known is None:
        return Check(SIGNED, Verdict.UNKNOWN, _unread(evidence))
    return Check(SIGNED, Verdict.FAILED, "No signature refers to it.")


def check_sbom(evidence: Partial[Evidence], digest: str, platforms: Mapping[str, str]) -> Check:
    """Whether an SBOM is there: of `digest` itself, or of each of its platforms, by name → digest."""
    own = _about(evidence, {digest})
    if has_proof(own, Proof.SBOM):
        return Check(SBOM, Verdict.PASSED, f"An SBOM is there ({', '.join(makers_of(own, Proof.SBOM))}).")
    found = {name: has_proof(_about(evidence, {one}), Proof.SBOM) for name, one in platforms.items()}
    if found and all(found.values()):
        return Check(SBOM, Verdict.PASSED, f"Each of {counted(len(found), 'platform')} has an SBOM.")
    if has_proof(own, Proof.SBOM) is None or None in found.values():
        return Check(SBOM, Verdict.UNKNOWN, _unread(evidence))
    without = [name for name, known in found.items() if not known]
    if without and len(without) < len(found):
        return Check(SBOM, Verdict.FAILED, f"No SBOM of {', '.join(without)}.")
    return Check(SBOM, Verdict.FAILED, "No SBOM refers to it.")


def check_age(pushed: datetime | None, days: int, now: datetime) -> Check:
    """Whether the registry got it at most so many days ago."""
    name = f"Not older than {counted(days, 'day')}"
    if pushed is None:
        return Check(name, Verdict.UNKNOWN, "The registry does not report when it was pushed.")
    age = (now - pushed).days
    pushed_on = f"Pushed {pushed:%Y-%m-%d}, {counted(age, 'day')} ago."
    return Check(name, Verdict.PASSED if now - pushed <= timedelta(days=days) else Verdict.FAILED, pushed_on)


def check_stage(
    cluster: str,
    namespace: str,
    answer: ClusterImages | None,
    placed: Iterable[PlacedImage],
    digests: frozenset[str],
    now: datetime,
) -> Check:
    """Whether one of `digests` (the image and its platforms) runs in that cluster, in `namespace` where one is named.

    `answer`: the last one of the cluster, None where it was not asked; `placed`: the images of this repository in it.
    What only a tag names is unknown: the tag may have moved since.
    """
    name = f"Runs in {cluster}" + (f", namespace {namespace}" if namespace else "")
    if answer is None:
        return Check(name, Verdict.UNKNOWN, "The cluster was not asked what it runs: ask it under Running images.")
    if answer.error:
        return Check(name, Verdict.UNKNOWN, f"The cluster could not be asked: {answer.error.cause}")
    if now - answer.at > MOST_AGE:
        return Check(name, Verdict.UNKNOWN, f"The cluster was asked {answer.at:%Y-%m-%d}: ask it again.")
    here = [one for one in placed if one.image.replicas and namespace in ("", one.image.namespace)]
    running = [one.image.owner.label for one in here if one.image.digest in digests]
    if running:
        return Check(name, Verdict.PASSED, f"{running[0]}, as of {answer.at:%Y-%m-%d %H:%M} UTC.")
    if any(not one.image.digest for one in here):
        return Check(
            name, Verdict.UNKNOWN, "Something of this repository runs there, of which no node gave the digest."
        )
    return Check(name, Verdict.FAILED, f"It did not run there at {answer.at:%Y-%m-%d %H:%M} UTC.")


def objections(checks: Iterable[Check]) -> tuple[str, ...]:
    """What keeps it from being promoted: a sentence for each check that did not pass."""
    return tuple(
        f"{one.name}: {'unknown. ' if one.verdict is Verdict.UNKNOWN else ''}{one.why}"
        for one in checks
        if one.verdict is not Verdict.PASSED
    )


def _about(evidence: Partial[Evidence], subjects: set[str]) -> Partial[Evidence]:
    values = tuple(one for one in evidence.values if one.subject in subjects)
    return Partial(values, evidence.refused, evidence.untried)


def _unread(evidence: Partial[Evidence]) -> str:
    if evidence.refused:
        return f"What refers to it could not be read: {evidence.refused[0].error.cause.rstrip('.')}."
    return "Not everything that refers to it was read, or says what it is."
