"""What is checked of an image before it is promoted. Pure. What is unknown does not pass."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from services.connection.parallel import Partial
from services.images.evidence import Evidence, Proof, has_proof, makers_of
from services.running.images import ClusterImages
from services.running.join import PlacedImage, RepositoryKey
from services.running.unasked import MOST_AGE, MOST_AHEAD
from services.wording import counted


class Verdict(StrEnum):
    """How a check ended. NOT_VERIFIED: what was asked for is there, and whether it is true was not checked."""

    PASSED = "Passed"
    NOT_VERIFIED = "Found, not verified"
    FAILED = "Failed"
    UNKNOWN = "Unknown"


@dataclass(frozen=True)
class Check:
    """One check: what was asked, how it ended, and why in a sentence."""

    name: str
    verdict: Verdict
    why: str


SIGNATURE, SBOM = "Signature", "SBOM"
# Those that keep no image from being promoted.
LETS_PASS = (Verdict.PASSED, Verdict.NOT_VERIFIED)


def check_signature(evidence: Partial[Evidence], digest: str) -> Check:
    """Whether a signature of `digest` itself is there. It is not verified, so it never is PASSED."""
    own = _about(evidence, {digest})
    known = has_proof(own, Proof.SIGNATURE)
    if known:
        makers = ", ".join(makers_of(own, Proof.SIGNATURE))
        return Check(
            SIGNATURE, Verdict.NOT_VERIFIED, f"A signature was found ({makers}). This console does not verify it."
        )
    if known is None:
        return Check(SIGNATURE, Verdict.UNKNOWN, _unread(evidence))
    return Check(SIGNATURE, Verdict.FAILED, "No signature refers to it.")


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
    if pushed - now > MOST_AHEAD:
        return Check(
            name, Verdict.UNKNOWN, f"Pushed {pushed:%Y-%m-%d %H:%M} UTC by the registry, which is yet to come."
        )
    age = max((now - pushed).days, 0)
    pushed_on = f"Pushed {pushed:%Y-%m-%d}, {counted(age, 'day')} ago."
    return Check(name, Verdict.PASSED if now - pushed <= timedelta(days=days) else Verdict.FAILED, pushed_on)


def check_stage(
    cluster: str,
    namespace: str,
    answer: ClusterImages | None,
    placed: Iterable[PlacedImage],
    digests: frozenset[str],
    now: datetime,
    here: RepositoryKey | None = None,
) -> Check:
    """Whether one of `digests` (the image and its platforms) runs in that cluster, in `namespace` where one is named.

    `answer`: the last one of the cluster, None where it was not asked; `placed`: the images in it, from wherever they
    were pulled: what has the same digest is the same image. What only a tag names is unknown, as the tag may have moved
    since, where it is of the repository `here`; without one, all of `placed` are.
    """
    name = f"Runs in {cluster}" + (f", namespace {namespace}" if namespace else "")
    if answer is None:
        return Check(name, Verdict.UNKNOWN, "The cluster was not asked what it runs: ask it under Running images.")
    if answer.error:
        return Check(name, Verdict.UNKNOWN, f"The cluster could not be asked: {answer.error.cause}")
    if answer.at - now > MOST_AHEAD:
        return Check(
            name, Verdict.UNKNOWN, f"The cluster answered at {answer.at:%Y-%m-%d %H:%M} UTC, which is yet to come."
        )
    if now - answer.at > MOST_AGE:
        return Check(name, Verdict.UNKNOWN, f"The cluster was asked {answer.at:%Y-%m-%d}: ask it again.")
    there = [one for one in placed if one.image.replicas and namespace in ("", one.image.namespace)]
    running = [one for one in there if one.image.digest in digests]
    if running:
        first = min(running, key=lambda one: not _is_of(one, here))
        by = "" if _is_of(first, here) else f", pulled from {first.image.reference} by the same digest"
        return Check(name, Verdict.PASSED, f"{first.image.owner.label}{by}, as of {answer.at:%Y-%m-%d %H:%M} UTC.")
    if any(not one.image.digest and _is_of(one, here) for one in there):
        return Check(
            name, Verdict.UNKNOWN, "Something of this repository runs there, of which no node gave the digest."
        )
    return Check(name, Verdict.FAILED, f"It did not run there at {answer.at:%Y-%m-%d %H:%M} UTC.")


def objections(checks: Iterable[Check]) -> tuple[str, ...]:
    """What keeps it from being promoted: a sentence for each check that did not pass."""
    return tuple(
        f"{one.name}: {'unknown. ' if one.verdict is Verdict.UNKNOWN else ''}{one.why}"
        for one in checks
        if one.verdict not in LETS_PASS
    )


def _is_of(placed: PlacedImage, here: RepositoryKey | None) -> bool:
    if here is None:
        return True
    if placed.registry is None or placed.named is None:
        return False
    return here == (placed.registry.login_server, placed.named.repository)


def _about(evidence: Partial[Evidence], subjects: set[str]) -> Partial[Evidence]:
    values = tuple(one for one in evidence.values if one.subject in subjects)
    return Partial(values, evidence.refused, evidence.untried)


def _unread(evidence: Partial[Evidence]) -> str:
    if evidence.refused:
        return f"What refers to it could not be read: {evidence.refused[0].error.cause.rstrip('.')}."
    return "Not everything that refers to it was read, or says what it is."
