"""What hangs on what: nothing of a repository may be missing from its tree, and only leftovers count as leftovers."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.connection.data_plane import RegistryClient, path_of
from services.images.manifests import Descriptor, Kind, Manifest
from services.images.repositories import Locks, ManifestRow
from services.images.schema_1 import SCHEMA_1
from services.images.tree import Node, Role, build_tree, read_for_tree
from tests.support.canned import Answer, CannedRegistry
from tests.support.documents import DOCKER_MANIFEST, OCI_CONFIG, OCI_INDEX, OCI_MANIFEST, digest_of, raw

START = datetime(2026, 1, 1, tzinfo=UTC)
SIGNATURE = "application/vnd.cncf.notary.signature"


def row(
    number: int, *tags: str, media_type: str = OCI_MANIFEST, platform: str = "", config: str = OCI_CONFIG
) -> ManifestRow:
    """The metadata of manifest `number`; higher numbers are newer."""
    os, _, architecture = platform.partition("/")
    time = START + timedelta(days=number % 10_000)
    return ManifestRow(digest_of(number), media_type, config, "", 1000, time, time, os, architecture, tags, Locks())


def child(number: int, platform: str = "linux/amd64", attests: int | None = None) -> Descriptor:
    if attests is None:
        return Descriptor(digest_of(number), OCI_MANIFEST, 1, platform)
    annotations = {
        "vnd.docker.reference.type": "attestation-manifest",
        "vnd.docker.reference.digest": digest_of(attests),
    }
    return Descriptor(digest_of(number), OCI_MANIFEST, 1, "", annotations=tuple(sorted(annotations.items())))


def manifest(number: int, *children: Descriptor, subject: int | None = None, artifact: str = "") -> Manifest:
    kind = Kind.INDEX if children else Kind.ARTIFACT if subject or artifact else Kind.IMAGE
    media_type = OCI_INDEX if children else OCI_MANIFEST
    to = "" if subject is None else digest_of(subject)
    return Manifest(digest_of(number), media_type, 1, kind, None, (), children, to, artifact, ())


def outline(nodes: tuple[Node, ...]) -> list[str]:
    """The tree as indented lines: role, number of the manifest, label."""
    return [f"{'  ' * node.depth}{node.role} {int(node.digest[7:], 16)} {node.label}".rstrip() for node in nodes]


def test_a_multi_platform_image_with_attestations() -> None:
    rows = [row(1, "v1", media_type=OCI_INDEX), *(row(n) for n in (2, 3, 4, 5))]
    index = manifest(1, child(2), child(3, "linux/arm64"), child(4, attests=2), child(5, attests=3))
    assert outline(build_tree(rows, [index])) == [
        "index 1",
        "  platform 2 linux/amd64",
        "    attestation 4",
        "  platform 3 linux/arm64",
        "    attestation 5",
    ]


def test_what_nothing_holds_is_untagged() -> None:
    rows = [row(1, "v1", media_type=OCI_INDEX), row(2), row(9)]
    read = [manifest(1, child(2)), manifest(9)]
    assert outline(build_tree(rows, read)) == ["untagged 9", "index 1", "  platform 2 linux/amd64"]


def test_an_index_that_could_not_be_read_may_hold_anything() -> None:
    rows = [row(1, "v1", media_type=OCI_INDEX), row(2), row(3, media_type=DOCKER_MANIFEST)]
    roles = {int(node.digest[7:], 16): node.role for node in build_tree(rows, [manifest(2)])}
    assert roles == {1: Role.INDEX, 2: Role.UNREAD, 3: Role.UNREAD}


def test_what_could_not_be_read_itself_may_refer_to_something() -> None:
    assert [node.role for node in build_tree([row(1)], [])] == [Role.UNREAD]
    assert [node.role for node in build_tree([row(1)], [manifest(1)])] == [Role.UNTAGGED]
    assert [node.role for node in build_tree([row(1, media_type=DOCKER_MANIFEST)], [])] == [Role.UNTAGGED]


def test_a_signature_hangs_on_what_it_signs() -> None:
    rows = [row(1, "v1"), row(2, config="application/vnd.oci.empty.v1+json"), row(3)]
    read = [manifest(2, subject=1, artifact=SIGNATURE), manifest(3, subject=2, artifact="sbom")]
    assert outline(build_tree(rows, read)) == ["image 1", f"  referrer 2 {SIGNATURE}", "    referrer 3 sbom"]


def test_a_cosign_tag_is_nobodys_own() -> None:
    signed = row(1, "v1")
    signature = row(2, f"sha256-{1:064x}.sig")
    assert outline(build_tree([signed, signature], [])) == ["image 1", "  referrer 2"]


def test_a_referrer_whose_subject_is_gone_stands_at_the_top() -> None:
    rows = [row(2, f"sha256-{1:064x}.sig"), row(3)]
    assert {node.role for node in build_tree(rows, [manifest(3, subject=1, artifact="sbom")])} == {
        Role.IMAGE,
        Role.UNTAGGED,
    }


def test_a_tagged_child_is_at_the_top_and_in_its_index() -> None:
    rows = [row(1, "v1", media_type=OCI_INDEX), row(2, "v1-amd64", platform="linux/amd64")]
    assert outline(build_tree(rows, [manifest(1, child(2))])) == [
        "image 2 linux/amd64",
        "index 1",
        "  platform 2 linux/amd64",
    ]


def test_a_broken_index_shows_what_is_missing() -> None:
    nodes = build_tree([row(1, "v1", media_type=OCI_INDEX)], [manifest(1, child(2))])
    assert outline(nodes) == ["index 1", "  missing 2 linux/amd64"]
    assert nodes[1].row is None


def test_an_index_in_an_index() -> None:
    rows = [row(1, "v1", media_type=OCI_INDEX), row(2, media_type=OCI_INDEX), row(3)]
    assert outline(build_tree(rows, [manifest(1, child(2, "")), manifest(2, child(3))])) == [
        "index 1",
        "  index 2",
        "    platform 3 linux/amd64",
    ]


def test_what_a_list_of_referrers_lists_is_no_platform() -> None:
    listed = Descriptor(digest_of(3), OCI_MANIFEST, 1, artifact_type=SIGNATURE)
    rows = [row(1, "v1"), row(2, f"sha256-{1:064x}", media_type=OCI_INDEX), row(3)]
    assert outline(build_tree(rows, [manifest(2, listed), manifest(3, subject=1, artifact=SIGNATURE)])) == [
        "image 1",
        "  referrer 2",
        f"    referrer 3 {SIGNATURE}",
        f"  referrer 3 {SIGNATURE}",
    ]


def test_an_artifact_in_an_index_is_no_platform() -> None:
    chart = Descriptor(digest_of(2), OCI_MANIFEST, 1, artifact_type="application/vnd.cncf.helm.config.v1+json")
    rows = [row(1, "v1", media_type=OCI_INDEX), row(2)]
    assert outline(build_tree(rows, [manifest(1, chart)])) == ["index 1", f"  artifact 2 {chart.artifact_type}"]


def test_what_the_registry_gives_no_type_of_may_be_an_index() -> None:
    rows = [row(1, "v1", media_type="", config=""), row(2)]
    roles = {int(node.digest[7:], 16): node.role for node in build_tree(rows, [manifest(2)])}
    assert roles[2] is Role.UNREAD
    assert outline(build_tree(rows, [manifest(1, child(2))])) == ["index 1", "  platform 2 linux/amd64"]


def test_schema_1_refers_to_nothing() -> None:
    (old,) = build_tree([row(1, media_type=SCHEMA_1[0], config="")], [])
    assert old.role is Role.UNTAGGED


def test_the_newest_first() -> None:
    assert [node.row and node.row.tags for node in build_tree([row(1, "a"), row(3, "c"), row(2, "b")], [])] == [
        ("c",),
        ("b",),
        ("a",),
    ]


def test_tags_that_point_in_a_circle() -> None:
    rows = [row(1, f"sha256-{2:064x}"), row(2, f"sha256-{1:064x}"), row(3, f"sha256-{3:064x}")]
    assert {node.digest for node in build_tree(rows, [])} == {digest_of(n) for n in (1, 2, 3)}


def test_an_index_that_refers_to_its_own_child_is_not_lost() -> None:
    rows = [row(1), row(2, media_type=OCI_INDEX), row(3)]
    nodes = build_tree(rows, [manifest(2, child(1), subject=1), manifest(3, subject=1)])
    assert {node.digest for node in nodes} == {digest_of(n) for n in (1, 2, 3)}
    assert Role.UNTAGGED not in {node.role for node in nodes}


def test_an_attestation_of_an_attestation_is_not_lost() -> None:
    rows = [row(1, "v1", media_type=OCI_INDEX), *(row(n) for n in (2, 3, 4, 5))]
    index = manifest(1, child(2), child(3, attests=2), child(4, attests=3), child(5, attests=5))
    assert outline(build_tree(rows, [index]))[:4] == [
        "index 1",
        "  platform 2 linux/amd64",
        "    attestation 3",
        "  attestation 4",
    ]
    assert {node.digest for node in build_tree(rows, [index])} == {digest_of(n) for n in (1, 2, 3, 4, 5)}


@st.composite
def repositories(draw: st.DrawFn) -> tuple[list[ManifestRow], list[Manifest]]:
    """A repository of a few manifests. As with real digests, one refers only to what was there before it."""
    rows, manifests = [], []
    count = draw(st.integers(0, 7))
    for number in range(1, count + 1):
        earlier = st.integers(0, number - 1)  # 0 is in no repository.
        tags = draw(
            st.lists(
                st.sampled_from(["v1", "latest"]) | st.integers(0, count).map(lambda n: f"sha256-{n:064x}.sig"),
                max_size=2,
                unique=True,
            )
        )
        children = draw(
            st.lists(st.builds(child, earlier, st.just("linux/amd64"), st.none() | st.integers(0, count)), max_size=4)
        )
        subject = draw(st.none() | earlier)
        rows.append(row(number, *tags, media_type=OCI_INDEX if children else OCI_MANIFEST))
        if draw(st.integers(0, 5)):
            manifests.append(manifest(number, *children, subject=subject))
    return rows, manifests


@given(repositories())
def test_nothing_is_missing_from_the_tree(found: tuple[list[ManifestRow], list[Manifest]]) -> None:
    rows, manifests = found
    nodes = build_tree(rows, manifests)
    listed = {child.digest for manifest in manifests for child in manifest.children}
    assert {node.digest for node in nodes if node.row} == {row.digest for row in rows}
    assert {node.digest for node in nodes if node.role is Role.MISSING} == listed - {row.digest for row in rows}


@given(repositories())
def test_only_what_nothing_holds_is_untagged(found: tuple[list[ManifestRow], list[Manifest]]) -> None:
    rows, manifests = found
    by_digest = {row.digest: row for row in rows}
    listed = {child.digest for manifest in manifests for child in manifest.children}
    referring = {manifest.digest for manifest in manifests if manifest.subject in by_digest}
    unread_index = any(
        row.media_type == OCI_INDEX and row.digest not in {manifest.digest for manifest in manifests} for row in rows
    )
    for node in build_tree(rows, manifests):
        if node.role is Role.UNTAGGED:
            assert node.depth == 0
            assert not by_digest[node.digest].tags
            assert node.digest not in listed | referring
            assert not unread_index
        if node.depth == 0:
            assert node.role in (Role.INDEX, Role.IMAGE, Role.ARTIFACT, Role.UNTAGGED, Role.UNREAD)


@given(repositories(), st.randoms())
def test_the_tree_does_not_depend_on_order(found: tuple[list[ManifestRow], list[Manifest]], random: Any) -> None:
    rows, manifests = found
    shuffled = list(manifests)
    random.shuffle(shuffled)
    assert build_tree(rows, shuffled) == build_tree(rows, manifests)


def serve(registry: CannedRegistry, body: dict[str, Any]) -> str:
    content, digest = raw(body)
    path = path_of("/v2/app/manifests/{digest}", digest=digest)
    registry.serve("GET", path, "repository:app:pull", Answer(200, content, {"Content-Type": OCI_MANIFEST}))
    return digest


def with_digest(digest: str, *tags: str, **changes: Any) -> ManifestRow:
    found = row(1, *tags, **changes)
    return ManifestRow(**{**found.__dict__, "digest": digest})


def test_only_what_the_tree_needs_is_read(registry: CannedRegistry, client: RegistryClient) -> None:
    platform, docker, image = (digest_of(n) for n in (1, 2, 3))
    index = serve(registry, {"mediaType": OCI_INDEX, "manifests": [{"digest": platform, "mediaType": OCI_MANIFEST}]})
    referrer = serve(registry, {"mediaType": OCI_MANIFEST, "subject": {"digest": image}})
    rows = [
        with_digest(index, "v1", media_type=OCI_INDEX),
        with_digest(platform),
        with_digest(docker, media_type=DOCKER_MANIFEST),
        with_digest(image, "v2"),
        with_digest(referrer),
    ]
    told: list[tuple[int, int]] = []
    found = read_for_tree(client, "app", rows, done=lambda count, of: told.append((count, of)))
    assert {manifest.digest for manifest in found.values} == {index, referrer}
    assert found.complete
    assert told == [(1, 1), (2, 2)]
    assert len(registry.calls()) == 2


def test_an_index_that_cannot_be_read_is_refused_by_name(registry: CannedRegistry, client: RegistryClient) -> None:
    path = path_of("/v2/app/manifests/{digest}", digest=digest_of(1))
    registry.serve("GET", path, "repository:app:pull", Answer(500, {}))
    found = read_for_tree(client, "app", [row(1, "v1", media_type=OCI_INDEX)])
    assert [refusal.what for refusal in found.refused] == [digest_of(1)]
    assert not found.complete


@pytest.mark.parametrize("tag", ["v1", f"sha256-{1:064x}.sig"])
def test_a_tagged_artifact_is_read_for_its_subject(registry: CannedRegistry, client: RegistryClient, tag: str) -> None:
    digest = serve(registry, {"mediaType": OCI_MANIFEST, "subject": {"digest": digest_of(1)}})
    config = "application/vnd.cncf.notary.signature"
    found = read_for_tree(client, "app", [with_digest(digest, tag, config=config)])
    assert [manifest.subject for manifest in found.values] == [digest_of(1)]


def test_indexes_that_list_each_other_twice_make_no_more_rows_than_they_list() -> None:
    count = 40
    rows = [row(n, *(["v1"] if n == 1 else []), media_type=OCI_INDEX) for n in range(1, count + 1)]
    indexes = [manifest(n, child(n + 1, ""), child(n + 1, "")) for n in range(1, count)]
    assert len(build_tree(rows, [*indexes, manifest(count, child(count + 1))])) == 2 * count


def test_a_chain_of_thousands_of_indexes_is_walked() -> None:
    count = 5000
    rows = [row(n, *(["v1"] if n == 1 else []), media_type=OCI_INDEX) for n in range(1, count + 1)]
    nodes = build_tree(rows, [manifest(n, child(n + 1, "")) for n in range(1, count)])
    assert [node.depth for node in nodes] == list(range(count))
