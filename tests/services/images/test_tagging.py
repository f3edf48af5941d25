"""Tags are added, moved and removed as planned, and what is reported is what the registry holds afterwards."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from threading import Event
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.connection import parallel
from services.connection.data_plane import RegistryClient, path_of
from services.connection.errors import ServiceError
from services.connection.names import is_tag
from services.images.manifest_reading import ACCEPT, read_manifest
from services.images.repositories import Locks, Repository, Tag, get_tag
from services.images.tagging import (
    UNTAG_RULE,
    TagPlan,
    UntagItem,
    UntagPlan,
    UntagResult,
    apply_tag,
    apply_untag,
    plan_tag,
    plan_untag,
    read_tag_plan,
    read_untag_plan,
)
from tests.support import documents
from tests.support.canned import Answer, CannedRegistry, Sent, reset
from tests.support.documents import CREATED, OCI_MANIFEST, UNLOCKED, UPDATED, digest_of
from tests.support.own_sandbox import APP, REGISTRY, OwnSandbox
from tests.support.strategies import tag_names

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HOSTILE = [
    *("", ".", "..", "-v1", ".v1", "v1\n", "v 1", "v1/../..", "v1%2f", "v1?force=true", "v1#x", "app:v1", "größe"),
    *("\u202ev1", "**v1**", "<b>v1</b>", "v" * 129),
]


def a_tag(name: str = "v1", digest: str = digest_of(1), **locks: bool) -> Tag:
    return Tag(name, digest, NOW, NOW, Locks(**locks))


def a_repository(**locks: bool) -> Repository:
    return Repository("contoso.azurecr.io", APP, NOW, NOW, 1, 1, Locks(**locks))


# What is decided, without a registry


def test_a_new_tag() -> None:
    assert plan_tag(REGISTRY, a_repository(), digest_of(1), "v2", None) == TagPlan(
        APP,
        digest_of(1),
        "v2",
        None,
        commands=(
            f"az acr import --name {REGISTRY} --source contoso.azurecr.io/{APP}@{digest_of(1)} --image {APP}:v2",
        ),
    )


def test_a_tag_that_moves() -> None:
    plan = plan_tag(REGISTRY, a_repository(), digest_of(2), "v1", a_tag())
    assert (plan.current_digest, plan.blockers) == (digest_of(1), ())


@pytest.mark.parametrize(
    ("repository", "tag", "words"),
    [
        (a_repository(), a_tag(digest=digest_of(2)), "points to this digest already"),
        (a_repository(), a_tag(write=False), "tag v1 is locked against writing"),
        (a_repository(write=False), a_tag(), "repository team/app is locked against writing"),
        (a_repository(write=False), None, "repository team/app is locked against writing"),
        (a_repository(read=False), None, "repository team/app is locked against reading"),
        (a_repository(delete=False, list=False), a_tag(delete=False, list=False, read=False), ""),
    ],
)
def test_what_keeps_a_tag_from_being_put(repository: Repository, tag: Tag | None, words: str) -> None:
    blockers = plan_tag(REGISTRY, repository, digest_of(2), "v1", tag).blockers
    assert words in "".join(blockers)
    assert bool(words) == bool(blockers)


@pytest.mark.parametrize(
    ("repository", "tag", "words"),
    [
        (a_repository(), a_tag(), ""),
        (a_repository(), a_tag(list=False, read=False), ""),
        (a_repository(), a_tag(delete=False), "tag v1 is locked against deletion:"),
        (a_repository(), a_tag(write=False), "tag v1 is locked against writing, and so against deletion"),
        (a_repository(delete=False), a_tag(), "repository team/app is locked against deletion:"),
        (a_repository(write=False), a_tag(), "repository team/app is locked against writing, and so against deletion"),
    ],
)
def test_what_keeps_a_tag_from_being_removed(repository: Repository, tag: Tag, words: str) -> None:
    plan = plan_untag(REGISTRY, repository, {"v1": tag}, {tag.digest: ["v1"]})
    assert words in plan.items[0].blocker
    assert bool(words) == bool(plan.items[0].blocker)
    assert plan.left_untagged == (() if words else (tag.digest,))


@given(
    st.dictionaries(tag_names, st.tuples(st.integers(1, 4), st.booleans(), st.booleans()), max_size=12),
    st.sets(tag_names, max_size=2),
)
def test_left_untagged_is_what_no_tag_points_to_once_the_plan_is_done(
    tags: dict[str, tuple[int, bool, bool]], unknown: set[str]
) -> None:
    """`tags`: name → digest, locked or not, in the plan or not."""
    held = {name: digest_of(number) for name, (number, _, _) in tags.items()}
    found: dict[str, Tag | str] = {
        name: a_tag(name, digest_of(number), delete=not locked)
        for name, (number, locked, chosen) in tags.items()
        if chosen
    }
    found |= dict.fromkeys(unknown - set(tags), "There is none.")
    tags_of = {digest: [name for name in held if held[name] == digest] for digest in held.values()}
    plan = plan_untag(REGISTRY, a_repository(), found, tags_of)
    after = {name: digest for name, digest in held.items() if name not in [i.tag for i in plan.items if not i.blocker]}
    assert set(plan.left_untagged) == set(held.values()) - set(after.values())
    assert len(plan.left_untagged) == len(set(plan.left_untagged))


@given(tag_names)
def test_names_as_the_specification_has_them(name: str) -> None:
    assert is_tag(name)


# The wire: what is sent, and what each answer becomes


@dataclass
class Shelf:
    """A repository behind the canned wire, which keeps its tags: a write can be done and its answer lost."""

    registry: CannedRegistry
    tags: dict[str, str] = field(default_factory=dict)
    locks: dict[str, Any] = field(default_factory=lambda: dict(UNLOCKED))
    instead: dict[str, list[Answer | Exception | Callable[[], Answer | Exception | None]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.raw, self.digest = documents.raw({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": {}})
        quoted = path_of("{repository}", repository=APP)
        read = f"repository:{APP}:metadata_read"
        self.registry.serve("GET", f"/acr/v1/{quoted}", read, self._repository)
        for name in ("v1", "v2", "v3"):
            self.registry.serve("GET", f"/acr/v1/{quoted}/_tags/{name}", read, self._get)
            self.registry.serve("DELETE", f"/acr/v1/{quoted}/_tags/{name}", f"repository:{APP}:delete", self._delete)
            self.registry.serve("PUT", f"/v2/{quoted}/manifests/{name}", f"repository:{APP}:pull,push", self._put)
        for digest in (self.digest, digest_of(1)):
            of = quoted_digest(digest)
            self.registry.serve("GET", f"/acr/v1/{quoted}/_manifests/{of}", read, self._row)
            self.registry.serve("GET", f"/v2/{quoted}/manifests/{of}", f"repository:{APP}:pull", self._manifest)

    def next_(self, method: str, *answers: Answer | Exception | Callable[[], Any]) -> None:
        """Answers the next requests of this kind in another way; a callable that gives None leaves them as they are."""
        self.instead[method] = list(answers)

    def sent(self, method: str) -> list[Sent]:
        return [sent for sent in self.registry.calls() if sent.method == method]

    def _instead(self, method: str) -> Answer | None:
        if not self.instead.get(method):
            return None
        answer = self.instead[method].pop(0)
        if callable(answer) and not isinstance(answer, Exception):
            answer = answer()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _repository(self, _sent: Sent) -> Answer:
        times = {"createdTime": CREATED, "lastUpdateTime": UPDATED}
        counts = {"manifestCount": 2, "tagCount": len(self.tags)}
        return Answer(200, {"imageName": APP, **times, **counts, "changeableAttributes": self.locks})

    def _get(self, sent: Sent) -> Answer:
        name = sent.path.rpartition("/")[2]
        if answer := self._instead("GET"):
            return answer
        return Answer(200, {"tag": documents.tag(name, self.tags[name])}) if name in self.tags else GONE

    def _row(self, sent: Sent) -> Answer:
        if answer := self._instead("ROW"):
            return answer
        digest = self.digest if quoted_digest(self.digest) in sent.path else digest_of(1)
        tags = [name for name, held in self.tags.items() if held == digest]
        return Answer(200, {"manifest": documents.entry(digest, tags=tags or None)})

    def _manifest(self, _sent: Sent) -> Answer:
        return self._instead("RAW") or Answer(200, self.raw, {"Content-Type": f"{OCI_MANIFEST}; charset=utf-8"})

    def _put(self, sent: Sent) -> Answer:
        if answer := self._instead("PUT"):
            return answer
        self.tags[sent.path.rpartition("/")[2]] = self.digest
        return Answer(201, None, {"Docker-Content-Digest": self.digest})

    def _delete(self, sent: Sent) -> Answer:
        if answer := self._instead("DELETE"):
            return answer
        return Answer(202) if self.tags.pop(sent.path.rpartition("/")[2], None) else GONE


def quoted_digest(digest: str) -> str:
    return path_of("{digest}", digest=digest)


GONE = Answer(404, {"errors": [{"code": "TAG_UNKNOWN", "message": "the specified tag does not exist"}]})
LOCKED = Answer(
    405,
    {
        "errors": [
            {
                "code": "REGISTRY_DISALLOWED_OPERATION",
                "message": "The operation is disallowed on this registry, repository or image.",
                "detail": {},
            }
        ]
    },
)
SERVER_ERROR = Answer(500, {"errors": [{"code": "UNKNOWN", "message": "unknown error"}]})
THROTTLED = Answer(429, {"errors": [{"code": "TOOMANYREQUESTS"}]}, {"Retry-After": "1"})
NOT_THE_REGISTRY = Answer(404, b"<html>404 page not found</html>", {"Content-Type": "text/html"})


@pytest.fixture
def shelf(registry: CannedRegistry) -> Shelf:
    """Tag v1 on a manifest that has no other."""
    return Shelf(registry, {"v1": digest_of(1)})


def test_the_manifests_own_bytes_and_media_type_are_sent(shelf: Shelf, client: RegistryClient) -> None:
    tag = apply_tag(client, read_tag_plan(client, REGISTRY, APP, shelf.digest, "v2"))
    assert (tag.name, tag.digest) == ("v2", shelf.digest)
    (put,) = shelf.sent("PUT")
    assert put.path == "/v2/team%2Fapp/manifests/v2"
    assert put.body.encode() == shelf.raw
    assert put.headers["Content-Type"] == OCI_MANIFEST


@pytest.mark.parametrize("name", HOSTILE)
def test_no_other_name_is_ever_sent(name: str, shelf: Shelf, client: RegistryClient) -> None:
    for act in (
        lambda: read_tag_plan(client, REGISTRY, APP, shelf.digest, name),
        lambda: apply_tag(client, TagPlan(APP, shelf.digest, name, None)),
    ):
        with pytest.raises(ServiceError) as raised:
            act()
        assert raised.value.code == "InvalidTag"
        assert "1 to 128" in raised.value.remedy
    assert shelf.registry.sent == []
    done = apply_untag(client, UntagPlan(REGISTRY, APP, (UntagItem(name, digest_of(1), ""),), ()))
    assert [refusal.error.code for refusal in done.refused] == ["InvalidTag"]
    assert shelf.registry.sent == []
    assert read_untag_plan(client, REGISTRY, APP, [name]).items == (UntagItem(name, "", "That is no name for a tag."),)


@pytest.mark.parametrize("digest", ["", "..", "v1", "sha256:", "sha256:" + "0" * 63, "sha256:" + "0" * 64 + "/../x"])
def test_no_other_digest_is_ever_sent(digest: str, shelf: Shelf, client: RegistryClient) -> None:
    for act in (
        lambda: read_tag_plan(client, REGISTRY, APP, digest, "v2"),
        lambda: apply_tag(client, TagPlan(APP, digest, "v2", None)),
    ):
        with pytest.raises(ServiceError) as raised:
            act()
        assert raised.value.code == "InvalidDigest"
    assert shelf.registry.sent == []


def put(shelf: Shelf, client: RegistryClient, name: str = "v2") -> ServiceError:
    """The error of putting a tag."""
    plan = TagPlan(APP, shelf.digest, name, shelf.tags.get(name))
    with pytest.raises(ServiceError) as raised:
        apply_tag(client, plan)
    return raised.value


def test_a_refused_plan_sends_nothing(shelf: Shelf, client: RegistryClient) -> None:
    with pytest.raises(ServiceError) as raised:
        apply_tag(client, TagPlan(APP, shelf.digest, "v2", None, ("It is locked.",)))
    assert (raised.value.code, raised.value.cause) == ("Refused", "It is locked.")
    assert shelf.registry.sent == []


def test_bytes_of_another_digest_are_not_put(shelf: Shelf, client: RegistryClient) -> None:
    shelf.next_("RAW", Answer(200, shelf.raw + b" ", {"Content-Type": OCI_MANIFEST}))
    error = put(shelf, client)
    assert error.code == "DigestMismatch"
    assert shelf.sent("PUT") == []


@pytest.mark.parametrize("headers", [{}, {"Docker-Content-Digest": digest_of(7)}])
def test_an_answer_with_another_digest_is_an_error(
    headers: dict[str, str], shelf: Shelf, client: RegistryClient
) -> None:
    shelf.next_("PUT", Answer(201, None, headers))
    error = put(shelf, client)
    assert error.code == "DigestChanged"
    assert (digest_of(7) if headers else "no digest") in error.cause


def test_a_tag_that_reads_back_elsewhere_is_an_error(shelf: Shelf, client: RegistryClient) -> None:
    shelf.next_("GET", GONE, *[Answer(200, {"tag": documents.tag("v2", digest_of(7))})] * 2)
    error = put(shelf, client)
    assert error.code == "DigestChanged"
    assert digest_of(7) in error.cause


def test_a_tag_that_cannot_be_read_back_is_said_to_be_put(shelf: Shelf, client: RegistryClient) -> None:
    shelf.next_("GET", GONE, *[SERVER_ERROR] * 10)
    error = put(shelf, client)
    assert (error.code, error.status) == ("NotConfirmed", 500)
    assert "Put the tag" in error.title
    assert shelf.tags["v2"] == shelf.digest


def test_a_lock_that_comes_in_the_last_moment_is_the_registrys_own_refusal(
    shelf: Shelf, client: RegistryClient
) -> None:
    shelf.next_("PUT", LOCKED)
    error = put(shelf, client)
    assert (error.status, error.code) == (405, "REGISTRY_DISALLOWED_OPERATION")
    assert "lock" in error.remedy
    assert "v2" not in shelf.tags


def test_a_404_that_is_not_the_registrys_does_not_mean_that_there_is_no_tag(
    shelf: Shelf, client: RegistryClient
) -> None:
    shelf.next_("GET", NOT_THE_REGISTRY)
    with pytest.raises(ServiceError) as raised:
        read_tag_plan(client, REGISTRY, APP, shelf.digest, "v1")
    assert raised.value.status == 404
    shelf.next_("GET", NOT_THE_REGISTRY)
    (item,) = read_untag_plan(client, REGISTRY, APP, ["v1"]).items
    assert "404" in item.blocker


@pytest.mark.parametrize("fault", [reset(), SERVER_ERROR, THROTTLED])
def test_a_put_that_fails_for_a_moment(fault: Answer | Exception, shelf: Shelf, client: RegistryClient) -> None:
    shelf.next_("PUT", fault, fault)
    assert apply_tag(client, TagPlan(APP, shelf.digest, "v2", None)).digest == shelf.digest
    assert {sent.body.encode() for sent in shelf.sent("PUT")} == {shelf.raw}


@pytest.mark.parametrize("fault", [reset(), SERVER_ERROR, THROTTLED])
def test_a_put_that_keeps_failing(fault: Answer | Exception, shelf: Shelf, client: RegistryClient) -> None:
    shelf.next_("PUT", *[fault] * 20)
    error = put(shelf, client, "v1")
    assert error.status == getattr(fault, "status", None)
    assert error.code in ("ConnectionLost", "UNKNOWN", "TOOMANYREQUESTS")
    assert shelf.tags == {"v1": digest_of(1)}


def test_a_put_that_was_done_though_every_answer_was_lost(shelf: Shelf, client: RegistryClient) -> None:
    def done_and_lost() -> Exception:
        shelf.tags["v2"] = shelf.digest
        return reset()

    shelf.next_("PUT", done_and_lost, *[reset()] * 20)
    assert apply_tag(client, TagPlan(APP, shelf.digest, "v2", None)).digest == shelf.digest


def test_a_put_of_which_nothing_is_known(shelf: Shelf, client: RegistryClient) -> None:
    shelf.next_("PUT", *[reset()] * 20)
    shelf.next_("GET", GONE, *[reset()] * 20)
    assert "not known" in put(shelf, client).remedy


# The wire: removing


def untag(client: RegistryClient, *tags: str) -> parallel.Partial[UntagResult]:
    items = tuple(UntagItem(tag, digest_of(1), "") for tag in tags)
    return apply_untag(client, UntagPlan(REGISTRY, APP, items, ()))


def test_a_tag_is_removed_by_its_own_path(shelf: Shelf, client: RegistryClient) -> None:
    plan = read_untag_plan(client, REGISTRY, APP, ["v1", "v1"])
    assert plan == UntagPlan(REGISTRY, APP, (UntagItem("v1", digest_of(1), ""),), (digest_of(1),))
    assert apply_untag(client, plan).values == (UntagResult("v1", digest_of(1), "deleted"),)
    assert [sent.path for sent in shelf.sent("DELETE")] == ["/acr/v1/team%2Fapp/_tags/v1"]


def test_a_404_on_the_deletion_is_a_tag_that_was_gone(shelf: Shelf, client: RegistryClient) -> None:
    def gone_first() -> None:
        shelf.tags.clear()

    shelf.next_("DELETE", gone_first)
    assert untag(client, "v1").values[0].outcome == "already done"


def test_a_tag_that_is_gone_before_is_not_deleted(shelf: Shelf, client: RegistryClient) -> None:
    shelf.tags.clear()
    assert untag(client, "v1").values[0].outcome == "already done"
    assert shelf.sent("DELETE") == []


def test_a_tag_that_moved_is_not_deleted(shelf: Shelf, client: RegistryClient) -> None:
    shelf.tags["v1"] = digest_of(9)
    done = untag(client, "v1")
    assert [(refusal.what, refusal.error.code) for refusal in done.refused] == [("v1", "ChangedMeanwhile")]
    assert digest_of(9) in done.refused[0].error.cause
    assert shelf.sent("DELETE") == []


@pytest.mark.parametrize(
    "later", [[Answer(200, {"tag": documents.tag("v1", digest_of(1))})], [SERVER_ERROR] * 5, [NOT_THE_REGISTRY]]
)
def test_accepted_is_not_done_until_it_is_read_back(later: list[Answer], shelf: Shelf, client: RegistryClient) -> None:
    shelf.next_("GET", Answer(200, {"tag": documents.tag("v1", digest_of(1))}), *later)
    assert untag(client, "v1").values[0].outcome == "not confirmed"


@pytest.mark.parametrize("fault", [reset(), SERVER_ERROR, THROTTLED])
def test_a_deletion_that_fails_for_a_moment(fault: Answer | Exception, shelf: Shelf, client: RegistryClient) -> None:
    shelf.next_("DELETE", fault, fault)
    assert untag(client, "v1").values[0].outcome == "deleted"


@pytest.mark.parametrize("fault", [reset(), SERVER_ERROR, THROTTLED, LOCKED])
def test_a_deletion_that_keeps_failing(fault: Answer | Exception, shelf: Shelf, client: RegistryClient) -> None:
    shelf.next_("DELETE", *[fault] * 20)
    done = untag(client, "v1")
    assert done.values == ()
    assert [refusal.error.status for refusal in done.refused] == [getattr(fault, "status", None)]
    assert shelf.tags == {"v1": digest_of(1)}


def test_a_deletion_that_was_done_though_every_answer_was_lost(shelf: Shelf, client: RegistryClient) -> None:
    def done_and_lost() -> Exception:
        shelf.tags.clear()
        return reset()

    shelf.next_("DELETE", done_and_lost, *[reset()] * 20)
    assert untag(client, "v1").values[0].outcome == "deleted"


def test_a_deletion_of_which_nothing_is_known(shelf: Shelf, client: RegistryClient) -> None:
    shelf.next_("DELETE", *[reset()] * 20)
    shelf.next_("GET", Answer(200, {"tag": documents.tag("v1", digest_of(1))}), *[reset()] * 20)
    assert "not known" in untag(client, "v1").refused[0].error.remedy


def test_what_stays_untagged_is_known_or_there_is_no_plan(shelf: Shelf, client: RegistryClient) -> None:
    shelf.next_("ROW", *[SERVER_ERROR] * 5)
    with pytest.raises(ServiceError) as raised:
        read_untag_plan(client, REGISTRY, APP, ["v1"])
    assert raised.value.status == 500


# A whole registry


def test_add_move_and_remove_leave_the_manifest_as_it_is(own: OwnSandbox) -> None:
    digest, raw = own.push("v1")
    other, _ = own.push("v2", number=2)
    assert apply_tag(own.client, read_tag_plan(own.client, REGISTRY, APP, digest, "v1.0.1")).digest == digest
    moving = read_tag_plan(own.client, REGISTRY, APP, digest, "v2")
    assert moving.current_digest == other
    assert apply_tag(own.client, moving).digest == digest
    assert own.tags() == {"v1": digest, "v1.0.1": digest, "v2": digest}
    for reference in (digest, "v1", "v1.0.1", "v2"):
        path = path_of("/v2/{repository}/manifests/{reference}", repository=APP, reference=reference)
        assert own.client.raw(path, accept=ACCEPT).content == raw
    assert "already" in read_tag_plan(own.client, REGISTRY, APP, digest, "v2").blockers[0]

    plan = read_untag_plan(own.client, REGISTRY, APP, ["v1", "v1.0.1"])
    assert plan.left_untagged == ()  # v2 is there yet.
    assert [result.outcome for result in apply_untag(own.client, plan).values] == ["deleted"] * 2
    plan = read_untag_plan(own.client, REGISTRY, APP, ["v2"])
    assert plan.left_untagged == (digest,)
    assert apply_untag(own.client, plan).complete
    assert own.tags() == {}
    assert read_manifest(own.client, APP, digest).digest == digest
    assert read_manifest(own.client, APP, other).digest == other


def test_the_guides_walk(own: OwnSandbox) -> None:
    digest = get_tag(own.client, "nodejstemplate", "v1.0.0").digest
    apply_tag(own.client, read_tag_plan(own.client, REGISTRY, "nodejstemplate", digest, "v1.0.1"))
    assert own.tags("nodejstemplate") == {"v1.0.0": digest, "v1.0.1": digest}
    apply_untag(own.client, read_untag_plan(own.client, REGISTRY, "nodejstemplate", ["v1.0.1"]))
    assert own.tags("nodejstemplate") == {"v1.0.0": digest}


def test_a_tag_that_moved_between_plan_and_apply_stays(own: OwnSandbox) -> None:
    digest, _ = own.push("v1")
    other, _ = own.push("v2", number=2)
    third, _ = own.push(number=3)
    plan, removal = (
        read_tag_plan(own.client, REGISTRY, APP, digest, "v2"),
        read_untag_plan(own.client, REGISTRY, APP, ["v2", "v1"]),
    )
    own.move("v2", third)
    with pytest.raises(ServiceError) as raised:
        apply_tag(own.client, plan)
    assert raised.value.code == "ChangedMeanwhile"
    assert other in raised.value.cause
    assert third in raised.value.cause
    done = apply_untag(own.client, removal)
    assert [(refusal.what, refusal.error.code) for refusal in done.refused] == [("v2", "ChangedMeanwhile")]
    assert [(result.tag, result.outcome) for result in done.values] == [("v1", "deleted")]
    assert own.tags() == {"v2": third}


def test_a_tag_that_came_or_went_between_plan_and_apply(own: OwnSandbox) -> None:
    digest, _ = own.push("v1", "v3")
    other, _ = own.push("v2", number=2)
    came, went = (
        read_tag_plan(own.client, REGISTRY, APP, digest, "new"),
        read_tag_plan(own.client, REGISTRY, APP, digest, "v2"),
    )
    removal = read_untag_plan(own.client, REGISTRY, APP, ["v1", "v3"])
    own.move("new", other)
    own.remove("v2")
    own.remove("v3")
    for plan in (came, went):
        with pytest.raises(ServiceError) as raised:
            apply_tag(own.client, plan)
        assert raised.value.code == "ChangedMeanwhile"
    assert [result.outcome for result in apply_untag(own.client, removal).values] == ["deleted", "already done"]
    assert own.tags() == {"new": other}


@pytest.mark.parametrize("lock", [{"write": False}, {"delete": False}])
@pytest.mark.parametrize("of_tag", [True, False])
def test_a_lock_refuses_in_the_plan_and_where_it_comes_later(
    own: OwnSandbox, lock: dict[str, bool], of_tag: bool
) -> None:
    digest, _ = own.push("v1")
    own.push("v2", number=2)
    moving, removal = (
        read_tag_plan(own.client, REGISTRY, APP, digest, "v2"),
        read_untag_plan(own.client, REGISTRY, APP, ["v2"]),
    )
    if of_tag:
        own.lock_tag("v2", **lock)
    else:
        own.lock_repository(**lock)
    before = own.tags()
    (item,) = read_untag_plan(own.client, REGISTRY, APP, ["v2"]).items
    assert "locked against" in item.blocker
    done = apply_untag(own.client, removal)
    assert [refusal.error.code for refusal in done.refused] == ["REGISTRY_DISALLOWED_OPERATION"]
    assert done.refused[0].error.status == 405
    refused = apply_untag(own.client, replace(removal, items=(item,)))
    assert [refusal.error.code for refusal in refused.refused] == ["Refused"]
    assert own.tags() == before
    if "write" in lock:
        assert "locked against writing" in read_tag_plan(own.client, REGISTRY, APP, digest, "v2").blockers[0]
        with pytest.raises(ServiceError) as raised:
            apply_tag(own.client, moving)
        assert (raised.value.status, raised.value.code) == (405, "REGISTRY_DISALLOWED_OPERATION")
        assert own.tags() == before
    else:
        assert apply_tag(own.client, moving).digest == digest


def test_siblings_that_stay_keep_their_digest_tagged(own: OwnSandbox) -> None:
    first, _ = own.push("a1", "a2", "a3")
    second, _ = own.push("b1", "b2", number=2)
    own.lock_tag("b2", delete=False)
    third, _ = own.push("c1", "c2", number=3)
    plan = read_untag_plan(own.client, REGISTRY, APP, ["a1", "a2", "b1", "b2", "c1", "c2", "none"])
    assert plan.left_untagged == (third,)
    assert [item.tag for item in plan.items if item.blocker] == ["b2", "none"]
    done = apply_untag(own.client, plan)
    assert [refusal.what for refusal in done.refused] == ["b2", "none"]
    assert own.tags() == {"a3": first, "b2": second}


@pytest.mark.parametrize("fault", [{"status": 429, "retry_after": 1}, {"status": 500}, {"reset": True}])
def test_faults_neither_double_nor_misreport(own: OwnSandbox, fault: dict[str, Any]) -> None:
    names = [f"v{number}" for number in range(12)]
    digest, _ = own.push(*names)
    plan = read_untag_plan(own.client, REGISTRY, APP, names)
    # Three strikes of each kind, so that no request runs out of retries, whichever threads they meet.
    own.break_(*({"method": method, "path": APP, "every": 4, "times": 3, **fault} for method in ("GET", "DELETE")))
    own.sandbox.clear_requests()
    done = apply_untag(own.client, plan)
    assert [request.status for request in own.sandbox.requests].count(fault.get("status", 0)) == 6
    assert done.complete
    assert {result.outcome for result in done.values} == {"deleted"}
    assert own.tags() == {}
    accepted = {path: times for (method, path, status), times in own.writes().items() if status == 202}
    assert set(accepted.values()) == {1}
    own.break_({"method": "PUT", "path": APP, "times": 2, **fault})
    assert apply_tag(own.client, read_tag_plan(own.client, REGISTRY, APP, digest, "back")).digest == digest
    assert [times for (method, _, status), times in own.writes().items() if (method, status) == ("PUT", 201)] == [1]


def test_a_registry_that_fails_for_good_changes_nothing_and_says_so(own: OwnSandbox) -> None:
    digest, _ = own.push("v1", "v2")
    adding, removal = (
        read_tag_plan(own.client, REGISTRY, APP, digest, "v3"),
        read_untag_plan(own.client, REGISTRY, APP, ["v1", "v2"]),
    )
    before = own.tags()
    own.break_(
        {"method": "PUT", "path": APP, "status": 500},
        {"method": "DELETE", "path": APP, "status": 429, "retry_after": 600},
    )
    with pytest.raises(ServiceError) as raised:
        apply_tag(own.client, adding)
    assert raised.value.status == 500
    done = apply_untag(own.client, removal)
    assert [refusal.error.status for refusal in done.refused] == [429, 429]
    assert own.tags() == before


def test_a_reader_is_refused_and_nothing_changes(own: OwnSandbox) -> None:
    digest, _ = own.push("v1")
    reader = own.as_reader()
    removal = read_untag_plan(own.client, REGISTRY, APP, ["v1"])
    with pytest.raises(ServiceError) as raised:
        apply_tag(reader, TagPlan(APP, digest, "v2", None))
    assert raised.value.status == 401
    (refusal,) = apply_untag(reader, removal).refused
    assert refusal.error.status == 401
    assert UNTAG_RULE in refusal.error.remedy
    assert own.tags() == {"v1": digest}


def test_a_repository_that_is_not_there(own: OwnSandbox) -> None:
    for act in (
        lambda: read_tag_plan(own.client, REGISTRY, "none", digest_of(1), "v1"),
        lambda: read_untag_plan(own.client, REGISTRY, "none", ["v1"]),
    ):
        with pytest.raises(ServiceError) as raised:
            act()
        assert (raised.value.status, raised.value.code) == (404, "NAME_UNKNOWN")


def test_a_manifest_that_is_gone_is_not_tagged(own: OwnSandbox) -> None:
    own.push("v1")
    with pytest.raises(ServiceError) as raised:
        apply_tag(own.client, read_tag_plan(own.client, REGISTRY, APP, digest_of(5), "v2"))
    assert raised.value.code == "MANIFEST_UNKNOWN"
    assert set(own.tags()) == {"v1"}


def test_stopped_in_the_middle_each_tag_is_done_or_untried(own: OwnSandbox) -> None:
    names = [f"v{number:02}" for number in range(3 * parallel.WORKERS)]
    digest, _ = own.push(*names)
    plan = read_untag_plan(own.client, REGISTRY, APP, names)
    own.break_({"method": "GET", "path": f"{APP}/_tags", "delay_ms": 20})
    stop = Event()
    seen: list[str] = []

    def on_result(item: UntagItem, result: UntagResult | ServiceError) -> None:
        assert isinstance(result, UntagResult)
        assert item.tag == result.tag
        seen.append(result.tag)
        stop.set()

    partial = apply_untag(own.client, plan, on_result=on_result, stop=stop)
    assert 0 < partial.untried < len(names)
    assert len(partial.values) + partial.untried == len(names)
    assert sorted(seen) == [result.tag for result in partial.values]
    assert {result.outcome for result in partial.values} == {"deleted"}
    assert own.tags() == dict.fromkeys(set(names) - set(seen), digest)
