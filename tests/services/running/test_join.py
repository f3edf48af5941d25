"""Running images and the registries they name."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.connection.parallel import Partial
from services.images.repositories import Locks, Tag
from services.pull_checks.matrix import Pulls
from services.running.answers import FoundAnswers
from services.running.apps import KnownApps
from services.running.images import ClusterImages, Reference, RunningImage, merge_images, parse_reference
from services.running.join import PlacedImage, digests_in_use, group_by_repository, login_server_of, place_images
from services.running.known import known_running
from tests.services.pull_checks.test_matrix import CLUSTER, registry
from tests.support.repository_samples import contents, row
from tests.support.strategies import digests, repository_names, tag_names

DIGEST = f"sha256:{'d' * 64}"
AT = datetime(2026, 11, 28, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("nginx", Reference("docker.io", "library/nginx", "latest", "")),
        ("prom/prometheus:v3", Reference("docker.io", "prom/prometheus", "v3", "")),
        ("docker.io/nginx:1", Reference("docker.io", "library/nginx", "1", "")),
        ("localhost/app:1", Reference("localhost", "app", "1", "")),
        ("Contoso.AzureCR.io/team/app", Reference("contoso.azurecr.io", "team/app", "latest", "")),
        ("127.0.0.1:5000/app:1", Reference("127.0.0.1:5000", "app", "1", "")),
        (f"contoso.azurecr.io/app@{DIGEST}", Reference("contoso.azurecr.io", "app", "", DIGEST)),
        (f"contoso.azurecr.io/app:v1@{DIGEST}", Reference("contoso.azurecr.io", "app", "v1", DIGEST)),
    ],
)
def test_what_a_reference_names(text: str, named: Reference) -> None:
    assert parse_reference(text) == named


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no image!",
        "contoso.azurecr.io/App:v1",
        "app:",
        "app:v1:v2",
        "app@sha256:1",
        "a//b",
        "-x.io/a",
        "a b/c",
        "@",
        "/",
        "x.io/",
    ],
)
def test_what_is_no_reference(text: str) -> None:
    assert parse_reference(text) is None


@given(repository_names, tag_names, st.one_of(st.just(""), digests))
def test_a_reference_is_read_as_it_is_written(repository: str, tag: str, digest: str) -> None:
    text = f"contoso.azurecr.io/{repository}:{tag}{'@' if digest else ''}{digest}"
    assert parse_reference(text) == Reference("contoso.azurecr.io", repository, tag, digest)


@given(st.text(max_size=40))
def test_any_text_is_a_reference_or_none(text: str) -> None:
    parse_reference(text)


def placed(images: list[RunningImage]) -> tuple[PlacedImage, ...]:
    return place_images([ClusterImages(CLUSTER, AT, tuple(images))], [registry()])


SERVER = registry().login_server
REFERENCES = st.sampled_from(
    [
        f"{SERVER}/app:v1",
        f"{SERVER}/app:gone",
        f"{SERVER}/app",
        f"{SERVER.upper()}/app:v2",
        f"{SERVER}/app@sha256:{'1' * 64}",
        f"{SERVER}/app:v1@sha256:{'2' * 64}",
        f"{SERVER}/other:v1",
        f"{SERVER}/App:v1",
        "app:v1",
        "x y",
    ]
)
DIGESTS = st.sampled_from(["", *(f"sha256:{str(number) * 64}" for number in range(1, 6))])
IMAGES = st.lists(
    st.builds(
        RunningImage, st.just("shop"), st.just("Pod"), st.text("ab", max_size=1), REFERENCES, DIGESTS, st.just(1)
    ),
    max_size=8,
)
TAGS = st.dictionaries(st.sampled_from(["v1", "v2", "latest"]), DIGESTS.filter(bool))


@given(IMAGES, TAGS)
def test_the_digests_in_use_are_those_of_a_naive_join(images: list[RunningImage], tags: dict[str, str]) -> None:
    expected: set[str] = set()
    for image in images:
        server, _, rest = image.reference.partition("/")
        name, _, digest = rest.partition("@")
        if server.lower() == SERVER and name.partition(":")[0] == "app":
            expected |= {image.digest, digest or tags.get(name.partition(":")[2] or "latest", "")}
    found = group_by_repository(placed(images)).get((SERVER, "app"), ())
    listed = tuple(Tag(name, digest, AT, AT, Locks()) for name, digest in tags.items())
    assert digests_in_use(found, replace(contents(), tags=listed)).keys() == expected - {""}


def test_what_names_no_registry_of_ours_is_outside_and_odd_references_are_kept() -> None:
    images = [RunningImage("shop", "Pod", "a", text, "", 1) for text in ("x y", "nginx", f"{SERVER}/app:v1")]
    odd, outside, ours = placed(images)
    assert (odd.named, odd.registry, odd.by_tag) == (None, None, False)
    assert (outside.registry, outside.by_tag) == (None, True)
    assert ours.registry == registry()


@given(IMAGES)
def test_merging_loses_no_reference_and_no_digest(images: list[RunningImage]) -> None:
    merged = merge_images(images)
    parts: tuple[Callable[[RunningImage], object], ...] = (
        lambda one: (one.owner, one.reference),
        lambda one: (one.owner, one.digest) if one.digest else None,
    )
    for part in parts:
        assert {part(one) for one in merged} - {None} == {part(one) for one in images} - {None}


@pytest.mark.parametrize(
    ("host", "server"),
    [
        ("contoso.azurecr.io", "contoso.azurecr.io"),
        ("contoso.azurecr.io:443", "contoso.azurecr.io"),
        ("contoso.eastus.geo.azurecr.io", "contoso.azurecr.io"),
        ("contoso-d4f7.chinanorth3.geo.azurecr.cn:443", "contoso-d4f7.azurecr.cn"),
        ("contoso.azurecr.io:5000", "contoso.azurecr.io:5000"),
        ("contoso.eastus.geo.example.com", "contoso.eastus.geo.example.com"),
        ("geo.azurecr.io", "geo.azurecr.io"),
    ],
)
def test_each_name_of_a_registry_is_its_login_server(host: str, server: str) -> None:
    assert login_server_of(host) == server


def test_images_by_the_endpoint_of_a_region_and_by_port_are_of_the_registry() -> None:
    name, _, domain = SERVER.partition(".")
    hosts = (SERVER, f"{SERVER}:443", f"{name}.eastus.geo.{domain}")
    images = [RunningImage("shop", "Pod", "a", f"{host}/app:v1", "", 1) for host in hosts]
    assert [one.registry for one in placed(images)] == [registry()] * 3


def test_what_a_node_pulled_by_a_name_of_no_registry_runs_of_each_that_has_it() -> None:
    here = contents(row(1, "v1"), row(2, "v2"), row(3, "v3"))
    images = (
        RunningImage("shop", "Pod", "proxied", "images.example.com/app:v9", row(1).digest, 1),
        RunningImage("shop", "Pod", "unnamed", "sha256:" + "9" * 64, row(2).digest, 1),
        # Of another registry, which has a copy; and a tag that is another registry's too.
        RunningImage("shop", "Pod", "other", "other.azurecr.io/app:v3", row(3).digest, 1),
        RunningImage("shop", "Pod", "tag", "images.example.com/app:v3", "", 1),
    )
    answers = FoundAnswers({CLUSTER.id.lower(): ClusterImages(CLUSTER, AT, images)})
    known = known_running(Pulls(clusters=Partial((CLUSTER,))), registry(), answers, KnownApps(Partial(()), AT), AT)
    assert known.of(here).places == {
        row(1).digest: (f"Pod shop/proxied in {CLUSTER.name}",),
        row(2).digest: (f"Pod shop/unnamed in {CLUSTER.name}",),
    }
