"""Locks are set one kind at a time, only what differs, and read back."""

import json
from collections.abc import Callable
from itertools import product

import pytest

from sandbox.identity.principals import READER
from sandbox.seeds.resources import assignment
from services.connection.data_plane import RegistryClient, path_of
from services.connection.errors import ServiceError
from services.images.locks import meaning, set_manifest_locks, set_repository_locks, set_tag_locks
from services.images.repositories import Locks, get_manifest_row, get_repository, get_tag
from services.images.tagging import TagPlan, apply_tag, apply_untag, read_untag_plan
from tests.support import documents
from tests.support.canned import Answer, CannedRegistry, Sent, reset
from tests.support.documents import UNLOCKED, digest_of
from tests.support.own_sandbox import APP, REGISTRY, OwnSandbox

DIGEST = digest_of(1)
OPEN = Locks()
FROZEN = Locks(delete=False, write=False)
EVERY = [Locks(*values) for values in product((True, False), repeat=4)]
Set = Callable[[RegistryClient, Locks], Locks]
SETTERS: dict[str, Set] = {
    "repository": lambda client, locks: set_repository_locks(client, APP, locks),
    "tag": lambda client, locks: set_tag_locks(client, APP, "v1", locks),
    "manifest": lambda client, locks: set_manifest_locks(client, APP, DIGEST, locks),
}


class Lockable:
    """A repository, its tag and its manifest behind the canned wire, one of them with state."""

    def __init__(self, registry: CannedRegistry, kind: str) -> None:
        self.registry = registry
        self.attributes = dict(UNLOCKED)
        self.instead: list[Callable[[], Answer] | Answer | Exception] = []
        self.reads: list[Answer | Exception] = []
        self._kind = kind
        repository = path_of("/acr/v1/{repository}", repository=APP)
        self.path = {
            "repository": repository,
            "tag": f"{repository}/_tags/v1",
            "manifest": f"{repository}/_manifests/{path_of('{digest}', digest=DIGEST)}",
        }[kind]
        registry.serve("GET", self.path, f"repository:{APP}:metadata_read", self._get)
        registry.serve("PATCH", self.path, f"repository:{APP}:metadata_write", self._patch)

    @property
    def patches(self) -> list[Sent]:
        return [sent for sent in self.registry.calls() if sent.method == "PATCH"]

    def _get(self, _sent: Sent) -> Answer:
        if self.reads:
            answer = self.reads.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer
        return self.body()

    def body(self) -> Answer:
        attributes = {"changeableAttributes": dict(self.attributes)}
        if self._kind == "tag":
            return Answer(200, {"tag": {**documents.tag("v1"), **attributes}})
        if self._kind == "manifest":
            return Answer(200, {"manifest": {**documents.entry(DIGEST), **attributes}})
        times = {"createdTime": documents.CREATED, "lastUpdateTime": documents.UPDATED}
        return Answer(200, {"imageName": APP, **times, "manifestCount": 1, "tagCount": 1, **attributes})

    def _patch(self, sent: Sent) -> Answer:
        answer = self.instead.pop(0) if self.instead else lambda: None
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, Answer):
            return answer
        self.attributes |= json.loads(sent.body)
        answer()
        return self.body()


@pytest.fixture(params=list(SETTERS))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def held(registry: CannedRegistry, kind: str) -> Lockable:
    return Lockable(registry, kind)


@pytest.fixture
def set_(kind: str) -> Set:
    return SETTERS[kind]


def test_only_what_differs_is_sent(held: Lockable, set_: Set, client: RegistryClient) -> None:
    assert set_(client, FROZEN) == FROZEN
    assert set_(client, Locks(delete=False)) == Locks(delete=False)
    assert set_(client, Locks(delete=False)) == Locks(delete=False)
    assert [(sent.path, json.loads(sent.body)) for sent in held.patches] == [
        (held.path, {"deleteEnabled": False, "writeEnabled": False}),
        (held.path, {"writeEnabled": True}),
    ]
    assert {sent.headers["Content-Type"] for sent in held.patches} == {"application/json"}


@pytest.mark.usefixtures("held")
def test_every_combination_is_what_is_read_back(set_: Set, client: RegistryClient) -> None:
    for locks in (*EVERY, *reversed(EVERY)):
        assert set_(client, locks) == locks


def test_accepted_and_not_done_is_an_error(held: Lockable, set_: Set, client: RegistryClient) -> None:
    held.instead = [held.body()]
    with pytest.raises(ServiceError) as raised:
        set_(client, FROZEN)
    assert raised.value.code == "NotConfirmed"
    assert "delete, write" in raised.value.cause


def test_what_somebody_else_changes_meanwhile_is_told_and_no_error(
    held: Lockable, set_: Set, client: RegistryClient
) -> None:
    held.instead = [lambda: held.attributes.update(listEnabled=False)]  # type: ignore[list-item, func-returns-value]
    assert set_(client, FROZEN) == Locks(delete=False, write=False, list=False)


def test_a_lost_answer_is_read_back(held: Lockable, set_: Set, client: RegistryClient) -> None:
    def lost() -> Answer:
        raise reset()

    held.instead = [lost]
    assert set_(client, FROZEN) == FROZEN
    assert len(held.patches) == 1


def test_a_request_that_never_arrived(held: Lockable, set_: Set, client: RegistryClient) -> None:
    held.instead = [reset()]
    with pytest.raises(ServiceError) as raised:
        set_(client, FROZEN)
    assert raised.value.code == "ConnectionLost"
    assert "as they were" in raised.value.remedy
    assert held.attributes == UNLOCKED


def test_nothing_is_known(held: Lockable, set_: Set, client: RegistryClient) -> None:
    held.instead = [reset()]
    held.reads = [held.body(), *[reset()] * 10]
    with pytest.raises(ServiceError) as raised:
        set_(client, FROZEN)
    assert "not known" in raised.value.remedy


def test_set_but_not_read_back(held: Lockable, set_: Set, client: RegistryClient) -> None:
    held.reads = [held.body(), *[Answer(500, {"errors": [{"code": "UNKNOWN", "message": "x"}]})] * 10]
    with pytest.raises(ServiceError) as raised:
        set_(client, FROZEN)
    assert (raised.value.code, raised.value.status) == ("NotConfirmed", 500)
    assert "could not be read back" in raised.value.title


@pytest.mark.parametrize("status", [429, 500])
def test_faults_for_a_moment(status: int, held: Lockable, set_: Set, client: RegistryClient) -> None:
    held.instead = [Answer(status, {"errors": [{"code": "X"}]}, {"Retry-After": "1"})] * 2
    assert set_(client, FROZEN) == FROZEN


def test_a_refusal(held: Lockable, set_: Set, client: RegistryClient) -> None:
    held.instead = [Answer(403, {"errors": [{"code": "DENIED", "message": "no"}]})]
    with pytest.raises(ServiceError) as raised:
        set_(client, FROZEN)
    assert (raised.value.status, raised.value.code) == (403, "DENIED")


@pytest.mark.parametrize("name", ["", ".", "..", "v1/..", "sha256:.."])
def test_no_name_reaches_the_repositorys_own_locks(name: str, registry: CannedRegistry, client: RegistryClient) -> None:
    for act in (set_tag_locks, set_manifest_locks):
        with pytest.raises(ServiceError) as raised:
            act(client, APP, name, FROZEN)
        assert raised.value.code in ("InvalidTag", "InvalidDigest")
    assert registry.sent == []


# What they mean


@pytest.mark.parametrize("locks", EVERY)
def test_words_for_every_combination(locks: Locks) -> None:
    of_repository, of_tag, of_manifest = (meaning(locks, what) for what in ("repository", "tag", "manifest"))
    for words in (of_repository, of_tag, of_manifest):
        assert (words == "Not locked.") == (locks == OPEN)
        assert ("hidden" in words) == (not locks.list)
        assert ("are refused" in words) == (not locks.read)
    assert ("can't be moved" in of_tag) == (not locks.write)
    assert ("can't be removed" in of_tag) == (not (locks.delete and locks.write))
    assert ("can be moved" in of_tag) == (locks.write and not locks.delete)
    assert ("can't be deleted" in of_manifest) == (not (locks.delete and locks.write))
    assert ("Nothing can be pushed" in of_repository) == (not locks.write)
    assert ("tags still move" in of_repository) == (locks.write and not locks.delete)
    assert ("do not lock its manifest" in of_tag) == ("nor a manifest's its tags" in of_manifest) == locks.any
    assert "do not lock its manifest" not in of_repository


# A whole registry


def test_the_three_are_separate(own: OwnSandbox) -> None:
    digest, _ = own.push("v1")
    client = own.client

    def now() -> tuple[Locks, Locks, Locks]:
        return (
            get_repository(client, APP).locks,
            get_tag(client, APP, "v1").locks,
            get_manifest_row(client, APP, digest).locks,
        )

    assert set_tag_locks(client, APP, "v1", FROZEN) == FROZEN
    assert now() == (OPEN, FROZEN, OPEN)
    assert set_manifest_locks(client, APP, digest, Locks(read=False)) == Locks(read=False)
    assert now() == (OPEN, FROZEN, Locks(read=False))
    assert set_tag_locks(client, APP, "v1", OPEN) == OPEN
    assert set_repository_locks(client, APP, Locks(list=False)) == Locks(list=False)
    assert now() == (Locks(list=False), OPEN, Locks(read=False))


def test_a_tag_is_locked_and_unlocked_again(own: OwnSandbox) -> None:
    digest, _ = own.push("v1")
    set_tag_locks(own.client, APP, "v1", Locks(write=False))
    assert read_untag_plan(own.client, REGISTRY, APP, ["v1"]).items[0].blocker
    set_tag_locks(own.client, APP, "v1", OPEN)
    set_manifest_locks(own.client, APP, digest, FROZEN)
    plan = read_untag_plan(own.client, REGISTRY, APP, ["v1"])
    assert plan.items[0].blocker == ""  # The manifest's locks do not hold its tag.
    assert apply_untag(own.client, plan).values[0].outcome == "deleted"


def test_a_reader_may_not(own: OwnSandbox) -> None:
    own.push("v1")
    with pytest.raises(ServiceError) as raised:
        set_tag_locks(own.as_reader(), APP, "v1", FROZEN)
    assert raised.value.status == 401
    assert "registries/metadata/write" in raised.value.remedy and "AcrPush may not" in raised.value.remedy
    assert get_tag(own.client, APP, "v1").locks == OPEN


def test_acrpush_pushes_and_changes_no_lock(own: OwnSandbox) -> None:
    document = assignment(own.registry().id, "AcrPush", READER.object_id, "ServicePrincipal", own.sandbox.state.stamp())
    own.sandbox.store.put_resource(document)
    digest, _ = own.push("v1")
    pusher = own.as_reader()
    apply_tag(pusher, TagPlan(APP, digest, "v2", None))
    with pytest.raises(ServiceError) as raised:
        set_tag_locks(pusher, APP, "v2", FROZEN)
    assert raised.value.code == "UNAUTHORIZED"


def test_what_is_not_there(own: OwnSandbox) -> None:
    own.push("v1")
    for act in (
        lambda: set_repository_locks(own.client, "none", FROZEN),
        lambda: set_tag_locks(own.client, APP, "none", FROZEN),
        lambda: set_manifest_locks(own.client, APP, DIGEST, FROZEN),
    ):
        with pytest.raises(ServiceError) as raised:
            act()
        assert raised.value.status == 404
    assert own.writes() == {}


def test_faults_in_a_whole_registry(own: OwnSandbox) -> None:
    own.push("v1")
    own.break_({"method": "PATCH", "path": APP, "status": 500, "times": 2})
    assert set_tag_locks(own.client, APP, "v1", FROZEN) == FROZEN
    own.break_({"method": "PATCH", "path": APP, "reset": True})
    with pytest.raises(ServiceError) as raised:
        set_tag_locks(own.client, APP, "v1", OPEN)
    assert raised.value.code == "ConnectionLost"
    assert get_tag(own.client, APP, "v1").locks == FROZEN
