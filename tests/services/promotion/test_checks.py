"""Checks before a promotion: what is unknown never passes."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from services.connection.errors import ServiceError
from services.connection.parallel import Partial, Refusal
from services.images.evidence import Evidence, Proof
from services.promotion.checks import (
    LETS_PASS,
    Check,
    Verdict,
    check_age,
    check_sbom,
    check_signature,
    check_stage,
    objections,
)
from services.running.images import ClusterImages, RunningImage, parse_reference
from services.running.join import PlacedImage, place_images
from tests.support.documents import digest_of
from tests.support.pull_samples import a_cluster
from tests.support.shell_lines import registry

IMAGE, AMD, ARM, OTHER = (digest_of(number) for number in range(4))
PLATFORMS = {"linux/amd64": AMD, "linux/arm64": ARM}
REGISTRY = registry()
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
REFUSED = Refusal("referrers", ServiceError("Could not list", "Denied.", "Ask.", "DENIED", 403))


def found(*pieces: tuple[Proof, str], refused: bool = False) -> Partial[Evidence]:
    values = tuple(Evidence(proof, "Notation", digest_of(9), subject) for proof, subject in pieces)
    return Partial(values, (REFUSED,) if refused else ())


@pytest.mark.parametrize(
    ("evidence", "verdict"),
    [
        (found((Proof.SIGNATURE, IMAGE)), Verdict.NOT_VERIFIED),
        (found((Proof.SIGNATURE, IMAGE), refused=True), Verdict.NOT_VERIFIED),
        (found(), Verdict.FAILED),
        (found((Proof.SIGNATURE, OTHER)), Verdict.FAILED),
        (found((Proof.SBOM, IMAGE)), Verdict.FAILED),
        (found(refused=True), Verdict.UNKNOWN),
        (found((Proof.UNSTATED, IMAGE)), Verdict.UNKNOWN),
    ],
)
def test_a_signature_of_the_image_itself_is_there(evidence: Partial[Evidence], verdict: Verdict) -> None:
    check = check_signature(evidence, IMAGE)
    assert check.verdict is verdict
    assert bool(objections([check])) is (verdict is not Verdict.NOT_VERIFIED)
    if verdict is Verdict.NOT_VERIFIED:
        assert "does not verify" in check.why


@pytest.mark.parametrize(
    ("evidence", "verdict"),
    [
        (found((Proof.SBOM, IMAGE)), Verdict.PASSED),
        (found((Proof.SBOM, AMD), (Proof.SBOM, ARM)), Verdict.PASSED),
        (found((Proof.SBOM, AMD)), Verdict.FAILED),
        (found(), Verdict.FAILED),
        (found(refused=True), Verdict.UNKNOWN),
        (found((Proof.SBOM, AMD), refused=True), Verdict.UNKNOWN),
        (found((Proof.SBOM, AMD), (Proof.UNSTATED, ARM)), Verdict.UNKNOWN),
    ],
)
def test_an_sbom_is_there_of_the_index_or_of_every_platform(evidence: Partial[Evidence], verdict: Verdict) -> None:
    assert check_sbom(evidence, IMAGE, PLATFORMS).verdict is verdict
    if verdict is Verdict.FAILED and evidence.values:
        assert "linux/arm64" in check_sbom(evidence, IMAGE, PLATFORMS).why


@given(some.lists(some.tuples(some.sampled_from(Proof), some.sampled_from([IMAGE, AMD, ARM, OTHER]))), some.booleans())
def test_nothing_fails_that_was_not_read_and_nothing_passes_that_was_not_seen(
    pieces: list[tuple[Proof, str]], refused: bool
) -> None:
    evidence = found(*pieces, refused=refused)
    for check, proof in (
        (check_signature(evidence, IMAGE), Proof.SIGNATURE),
        (check_sbom(evidence, IMAGE, PLATFORMS), Proof.SBOM),
    ):
        assert check.verdict is not Verdict.PASSED or proof is not Proof.SIGNATURE
        if check.verdict in LETS_PASS:
            assert (proof, IMAGE) in pieces or {(proof, AMD), (proof, ARM)} <= set(pieces)
        if check.verdict is Verdict.FAILED:
            assert not refused


@pytest.mark.parametrize(
    ("pushed", "verdict"),
    [
        (NOW - timedelta(days=30), Verdict.PASSED),
        (NOW - timedelta(days=30, seconds=1), Verdict.FAILED),
        (NOW + timedelta(minutes=5), Verdict.PASSED),
        (NOW + timedelta(days=1), Verdict.UNKNOWN),
        (None, Verdict.UNKNOWN),
    ],
)
def test_the_age_is_that_in_the_registry(pushed: datetime | None, verdict: Verdict) -> None:
    assert check_age(pushed, 30, NOW).verdict is verdict


def running(digest: str, namespace: str = "shop", replicas: int = 2) -> PlacedImage:
    image = RunningImage(namespace, "Deployment", "web", "contoso.azurecr.io/app:v1", digest, replicas)
    return PlacedImage(a_cluster(), NOW, image, parse_reference(image.reference), None)


def stage(*placed: PlacedImage, at: datetime = NOW, namespace: str = "", error: ServiceError | None = None) -> Check:
    answer = ClusterImages(a_cluster(), at, (), error)
    return check_stage("aks-stage", namespace, answer, placed, frozenset({IMAGE, AMD}), NOW)


def test_it_runs_in_stage() -> None:
    assert stage(running(AMD)).verdict is Verdict.PASSED
    assert stage(running(IMAGE), namespace="shop").verdict is Verdict.PASSED
    assert "Deployment shop/web" in stage(running(IMAGE)).why
    assert stage(running(IMAGE), namespace="other").verdict is Verdict.FAILED
    assert stage(running(OTHER)).verdict is Verdict.FAILED
    assert stage(running(IMAGE, replicas=0)).verdict is Verdict.FAILED
    assert stage().verdict is Verdict.FAILED


def test_what_a_cluster_did_not_say_is_unknown() -> None:
    assert check_stage("aks-stage", "", None, (), frozenset({IMAGE}), NOW).verdict is Verdict.UNKNOWN
    assert stage(error=REFUSED.error).verdict is Verdict.UNKNOWN
    assert stage(running(IMAGE), at=NOW - timedelta(days=1, seconds=1)).verdict is Verdict.UNKNOWN
    assert stage(running("")).verdict is Verdict.UNKNOWN
    assert stage(running(IMAGE), at=NOW + timedelta(minutes=5)).verdict is Verdict.PASSED
    late = stage(running(IMAGE), at=NOW + timedelta(minutes=5, seconds=1))
    assert late.verdict is Verdict.UNKNOWN
    assert "yet to come" in late.why


def placed(digest: str, reference: str) -> PlacedImage:
    image = RunningImage("shop", "Deployment", "web", reference, digest, 2)
    (found,) = place_images([ClusterImages(a_cluster(), NOW, (image,))], [REGISTRY])
    return found


def of_stage(*images: PlacedImage) -> Check:
    answer = ClusterImages(a_cluster(), NOW, ())
    here = (REGISTRY.login_server, "team/app")
    return check_stage("aks-stage", "", answer, images, frozenset({IMAGE}), NOW, here)


def test_the_same_digest_is_the_same_image_wherever_it_was_pulled_from() -> None:
    own, mirror = f"{REGISTRY.login_server}/team/app:v1", "mirror.contoso.com/shop/app:v1"
    found = of_stage(placed(IMAGE, mirror))
    assert found.verdict is Verdict.PASSED
    assert f"pulled from {mirror} by the same digest" in found.why
    assert "pulled from" not in of_stage(placed(IMAGE, mirror), placed(IMAGE, own)).why
    assert of_stage(placed(OTHER, mirror)).verdict is Verdict.FAILED
    assert of_stage(placed(OTHER, own)).verdict is Verdict.FAILED


def test_a_tag_alone_is_unknown_of_this_repository_and_nothing_of_another() -> None:
    assert of_stage(placed("", f"{REGISTRY.login_server}/team/app:v1")).verdict is Verdict.UNKNOWN
    assert of_stage(placed("", "mirror.contoso.com/shop/app:v1")).verdict is Verdict.FAILED


def test_what_did_not_pass_keeps_it_from_being_promoted() -> None:
    checks = [Check(one.value, one, "Why.") for one in Verdict]
    assert objections(checks) == ("Failed: Why.", "Unknown: unknown. Why.")  # Neither what passed nor what was found.
