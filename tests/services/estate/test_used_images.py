"""What a search is given of what runs and what was pulled, with what is not known of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.connection.errors import ServiceError
from services.connection.parallel import Partial, Refusal
from services.estate.used_images import used_by_hosts, used_by_pulls
from services.index.usage import Used
from services.pull_checks.matrix import Pulls
from services.pulls.pulls import ImagePull, RegistryPulls
from services.running.answers import FoundAnswers
from services.running.apps import NO_APPS, HostImages, KnownApps
from services.running.images import ClusterImages, Host, HostKind, RunningImage
from tests.services.pull_checks.test_matrix import CLUSTER, registry
from tests.support.documents import digest_of

NOW = datetime(2026, 11, 20, tzinfo=UTC)
ONE = registry()
PLACE = ONE.id, "api"


def running(reference: str, digest: str = "") -> RunningImage:
    return RunningImage("shop", "Deployment", "web", reference, digest, 1)


def answered(*images: RunningImage, error: ServiceError | None = None) -> FoundAnswers:
    return FoundAnswers({CLUSTER.id.lower(): ClusterImages(CLUSTER, NOW, images, error)})


def used_by(
    name: str,
    found: FoundAnswers,
    now: datetime = NOW,
    refused: tuple[Refusal, ...] = (),
    untried: int = 0,
    apps: KnownApps = NO_APPS,
) -> Used:
    return used_by_hosts(name, Pulls(Partial((CLUSTER,), refused, untried)), found, apps, (ONE,), now)


def test_by_the_digest_that_a_node_pulled_and_by_a_tag_that_none_has_pulled() -> None:
    images = (running(f"{ONE.login_server}/api:v1", digest_of(1)), running(f"{ONE.login_server}/api:v2"))
    used = used_by(f"{CLUSTER.name[:3]}*", answered(*images))
    assert (used.digests[PLACE], used.tags[PLACE]) == ({digest_of(1)}, {"v2"})
    assert not used.unknown and used.unknown_of == frozenset()


def test_what_came_by_the_name_of_a_proxy_is_known_by_its_digest() -> None:
    images = (running("mcr.microsoft.com/oss/pause:3.9", digest_of(1)), running("mirror.contoso.com/api:v1"))
    used = used_by(CLUSTER.name, answered(*images))
    assert used.anywhere == {digest_of(1)} and not used.digests
    assert not used.unknown and used.unknown_of == frozenset()


def app(name: str, kind: HostKind, *references: str) -> HostImages:
    images = tuple(RunningImage("", kind.value, name, reference, "", 0) for reference in references)
    return HostImages(
        Host(f"/subscriptions/s/resourceGroups/shop-rg/providers/x/{name}", name, kind, "shop-rg", "s"), images
    )


@pytest.mark.parametrize("kind", [HostKind.APP, HostKind.APP_JOB, HostKind.CONTAINER_GROUP])
def test_apps_jobs_and_container_instances_are_found_by_their_names(kind: HostKind) -> None:
    web = app("shop-web", kind, f"{ONE.login_server}/api:v1", f"{ONE.login_server}/api@{digest_of(4)}")
    other = app("other", kind, f"{ONE.login_server}/api:v9")
    apps = KnownApps(Partial((web, other)), NOW)
    for name in ("shop-web", "shop", "shop-*"):
        used = used_by(name, answered(), apps=apps)
        assert (used.digests[PLACE], used.tags[PLACE]) == ({digest_of(4)}, {"v1"})
        assert not used.unknown and used.unknown_of == frozenset()
    with_cluster = answered(running(f"{ONE.login_server}/api:v2"))
    assert used_by("*", with_cluster, apps=apps).tags[PLACE] == {"v1", "v2", "v9"}
    assert used_by(CLUSTER.name, with_cluster, apps=apps).tags[PLACE] == {"v2"}


DENIED = ServiceError("Could not ask", "It is stopped.", "Start it.")
UNLISTED = (Refusal("Test", DENIED),)


@pytest.mark.parametrize(
    ("used", "why"),
    [
        (used_by("none", answered()), "is named none"),
        (used_by("none", answered(), refused=UNLISTED), "Test (its clusters could not be listed: It is stopped)"),
        (used_by("none", answered(), untried=1), "the reading was stopped"),
        (
            used_by("none", answered(), apps=KnownApps(reading=True)),
            "Container Apps and Container Instances (being read)",
        ),
        (used_by("web", answered(), apps=KnownApps(error=DENIED)), "could not be read: It is stopped"),
        (used_by("web", answered(), apps=KnownApps(Partial((), (Refusal("web1", DENIED),)))), "web1"),
        (used_by(CLUSTER.name, FoundAnswers()), f"{CLUSTER.name} (not asked)"),
        (used_by(CLUSTER.name, answered(error=DENIED)), "It is stopped"),
        (used_by(CLUSTER.name, answered(), NOW + timedelta(days=2)), "asked 2 days ago"),
        (used_by(CLUSTER.name, answered(), NOW - timedelta(hours=1)), "yet to come"),
        (used_by(CLUSTER.name, answered(), refused=UNLISTED), "Test (its clusters could not be listed"),
        (used_by(CLUSTER.name, replace(answered(), error=DENIED)), "could not be read: It is stopped."),
    ],
)
def test_a_cluster_that_is_not_known_or_did_not_answer_of_late_makes_it_unknown(used: Used, why: str) -> None:
    assert len(used.unknown) == 1 and why in used.unknown[0]
    assert used.unknown_of is None


def test_pulls_within_the_span_and_logs_that_do_not_go_back_so_far() -> None:
    def pull(days: int, digest: str, tag: str = "v1") -> ImagePull:
        return ImagePull("api", tag, digest, NOW - timedelta(days=days), "", "", 1)

    pulls = (pull(3, digest_of(1)), pull(100, digest_of(2)), pull(3, "", "v3"))

    long = used_by_pulls(timedelta(days=90), NOW, {ONE.id: RegistryPulls(pulls, NOW - timedelta(days=200), "")}, (ONE,))
    assert (long.digests[PLACE], long.tags[PLACE]) == ({digest_of(1)}, {"v3"})
    assert not long.unknown_of and not long.unknown
    for since, why in ((NOW - timedelta(days=30), "since 2026-10-21"), (None, "Nothing is logged.")):
        known = {ONE.id: RegistryPulls(pulls, since, "" if since else "Nothing is logged.")}
        short = used_by_pulls(timedelta(days=90), NOW, known, (ONE,))
        assert short.unknown_of == {ONE.id} and why in short.unknown[0]
        assert short.digests[PLACE] == {digest_of(1)}
    assert used_by_pulls(timedelta(days=90), NOW, {}, (ONE,)).unknown_of == {ONE.id}


def test_what_is_unknown_of_many_registries_for_one_reason_is_one_sentence() -> None:
    many = [replace(ONE, id=f"{ONE.id}{number}", name=f"registry{number}") for number in range(300)]
    used = used_by_pulls(timedelta(days=90), NOW, {}, many)
    assert used.unknown == ("registry0, registry1, registry2 and 297 more: Pulls are not read yet.",)
    assert used.unknown_of == {one.id for one in many}
