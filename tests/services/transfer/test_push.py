"""Pushing against the sandbox: what is sent, skipped and mounted, in which order, and what a failure leaves behind."""

import io
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest

from services.connection.data_plane import RegistryClient
from services.connection.errors import ServiceError
from services.transfer import blob_uploads
from services.transfer.archive_files import Part, RandomAccess
from services.transfer.archive_images import Blob, Content
from services.transfer.archives import read_archive
from services.transfer.blob_uploads import CHUNK
from services.transfer.push import PushResult, apply_push, read_push_plan
from tests.support.canned import Answer, CannedRegistry, reset
from tests.support.image_archives import Layout, config_of, docker_save, tar_of
from tests.support.own_sandbox import APP, REGISTRY, OwnSandbox

TAG = "v2"
BLOBS = r"/blobs/"


@pytest.fixture
def own(own: OwnSandbox, monkeypatch: pytest.MonkeyPatch) -> OwnSandbox:
    monkeypatch.setattr(blob_uploads, "_FIRST_WAIT_S", 0.001)
    own.push("v1")
    return own


def content_of(data: bytes) -> Content:
    (image,) = read_archive(io.BytesIO(data)).images
    return image.prepare(lambda _done, _of: None, Event())


def index_of(*architectures: str, seed: str = "a") -> Content:
    made = Layout()
    return content_of(made.named(made.platforms(*(architectures or ("amd64", "arm64")), seed=seed), TAG).tar())


def large(size: int, seed: int = 1) -> Content:
    """An image with one layer of that many bytes."""
    made = Layout()
    data = random.Random(seed).randbytes(size)
    layer = made.blob(data, "application/vnd.oci.image.layer.v1.tar")
    config = made.blob(config_of(data), "application/vnd.oci.image.config.v1+json")
    body = {"schemaVersion": 2, "config": config, "layers": [layer]}
    return content_of(made.named(made.manifest(body, "application/vnd.oci.image.manifest.v1+json"), TAG).tar())


def push(client: RegistryClient, content: Content, repository: str = APP, tag: str = TAG, **more: Any) -> PushResult:
    return apply_push(client, content, read_push_plan(client, content, repository, tag), **more)


def refusal(work: Callable[[], object]) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        work()
    return caught.value


def requests(own: OwnSandbox, *methods: str) -> list[str]:
    """'PUT /path' of what was answered with success, in order."""
    return [
        f"{sent.method} {sent.path}" for sent in own.sandbox.requests if sent.method in methods and sent.status < 300
    ]


def stored(own: OwnSandbox, content: Content, repository: str = APP) -> bool:
    """Whether the store has all of it, byte by byte."""
    store = own.sandbox.store
    blobs = all(
        store.blobs.size(REGISTRY, repository, blob.digest) == blob.size
        and store.blobs.files.path(blob.digest).read_bytes() == b"".join(blob.part.blocks())
        for blob in content.blobs
    )
    return blobs and all(
        store.get_manifest_body(REGISTRY, repository, manifest.digest) == manifest.raw for manifest in content.manifests
    )


def open_uploads(own: OwnSandbox) -> int:
    return len(list(own.sandbox.store.blobs.files._uploads.iterdir()))


# What is sent


def test_an_image_is_pushed_byte_by_byte_and_the_tag_read_back(own: OwnSandbox) -> None:
    content = index_of()
    result = push(own.client, content)
    assert stored(own, content)
    assert own.tags()[TAG] == content.digest == result.digest == result.tag.digest
    assert {blob.how for blob in result.blobs} == {"sent"}
    assert result.sent_bytes == content.blob_bytes
    assert open_uploads(own) == 0


def test_children_come_before_parents_and_the_tag_comes_last(own: OwnSandbox) -> None:
    content = index_of()
    push(own.client, content)
    writes = requests(own, "PUT", "POST", "PATCH")
    manifests = [path.rpartition("/")[2] for path in writes if "/manifests/" in path]
    assert manifests == [*(manifest.digest for manifest in content.manifests), TAG]
    assert all("/manifests/" not in path for path in writes[: -len(manifests)])


def test_each_blob_is_sent_once_and_a_second_push_sends_none(own: OwnSandbox) -> None:
    content = index_of()
    push(own.client, content)
    assert len(requests(own, "PATCH")) == len(content.blobs)
    own.sandbox.clear_requests()
    plan = read_push_plan(own.client, content, APP, TAG)
    assert (plan.bytes("there"), plan.bytes("send"), plan.moves) == (content.blob_bytes, 0, False)
    result = apply_push(own.client, content, plan)
    assert {blob.how for blob in result.blobs} == {"there"}
    assert result.sent_bytes == 0
    assert not [path for path in requests(own, "PATCH", "POST", "PUT") if BLOBS in path]


def test_only_what_is_new_is_sent(own: OwnSandbox) -> None:
    push(own.client, index_of("amd64"))
    content = index_of("amd64", "arm64")
    plan = read_push_plan(own.client, content, APP, TAG)
    assert (plan.moves, plan.bytes("there") > 0, plan.bytes("send") > 0) == (True, True, True)
    result = apply_push(own.client, content, plan)
    assert result.sent_bytes == plan.bytes("send")
    assert own.tags()[TAG] == content.digest


def test_a_blob_of_another_repository_is_mounted_with_one_token_for_both(own: OwnSandbox) -> None:
    content = index_of()
    push(own.client, content, "team/base")
    elsewhere = {blob.digest: "team/base" for blob in content.blobs}
    plan = read_push_plan(own.client, content, "team/new", TAG, elsewhere=elsewhere)
    assert (plan.new_repository, plan.bytes("mount")) == (True, content.blob_bytes)
    own.sandbox.clear_requests()
    result = apply_push(own.client, content, plan)
    assert {blob.how for blob in result.blobs} == {"mounted"}
    assert result.sent_bytes == 0
    assert stored(own, content, "team/new")
    assert not requests(own, "PATCH")


def test_what_can_not_be_mounted_after_all_is_sent(own: OwnSandbox) -> None:
    content = index_of()
    plan = read_push_plan(own.client, content, "team/new", TAG, elsewhere={blob.digest: APP for blob in content.blobs})
    result = apply_push(own.client, content, plan)
    assert {blob.how for blob in result.blobs} == {"sent"}
    assert stored(own, content, "team/new")


def test_the_layers_of_docker_save_are_pushed(own: OwnSandbox) -> None:
    content = content_of(docker_save([tar_of({"a": b"a" * 10_000}), tar_of({"b": b"b"})], "contoso/app:v1"))
    assert push(own.client, content).tag.digest == content.digest
    assert stored(own, content)


def test_a_large_blob_goes_in_chunks_and_progress_reaches_its_end(own: OwnSandbox) -> None:
    content = large(2 * CHUNK + 7)
    seen: list[tuple[int, int, str]] = []
    push(own.client, content, progress=lambda *report: seen.append(report))
    assert len(requests(own, "PATCH")) == 4
    assert seen[-1] == (content.blob_bytes, content.blob_bytes, "the tag")
    assert [done for done, _, _ in seen] == sorted(done for done, _, _ in seen)


def test_an_empty_blob_is_pushed(own: OwnSandbox) -> None:
    assert stored_after(own, large(0))


def stored_after(own: OwnSandbox, content: Content) -> bool:
    push(own.client, content)
    return stored(own, content)


# What is refused


@pytest.mark.parametrize(
    ("repository", "tag", "code"),
    [
        ("Team/App", TAG, "InvalidRepository"),
        ("team//app", TAG, "InvalidRepository"),
        ("..", TAG, "InvalidRepository"),
        ("a" * 256, TAG, "InvalidRepository"),
        (APP, "..", "InvalidTag"),
        (APP, "v 1", "InvalidTag"),
        (APP, "", "InvalidTag"),
    ],
)
def test_a_name_that_can_be_none_is_refused_before_anything_is_asked(
    own: OwnSandbox, repository: str, tag: str, code: str
) -> None:
    own.sandbox.clear_requests()
    assert refusal(lambda: read_push_plan(own.client, index_of(), repository, tag)).code == code
    assert own.sandbox.requests == []


def test_a_lock_is_the_plans_reason_and_nothing_is_sent(own: OwnSandbox) -> None:
    content = index_of()
    own.lock_tag("v1", write=False)
    by_tag = read_push_plan(own.client, content, APP, "v1")
    own.lock_repository(write=False)
    by_repository = read_push_plan(own.client, content, APP, TAG)
    own.lock_repository(write=True, read=False)
    unread = read_push_plan(own.client, content, APP, TAG)
    assert "The tag v1 is locked against writing" in by_tag.blockers[0]
    assert "team/app is locked against writing" in by_repository.blockers[0]
    assert "locked against reading" in unread.blockers[0]
    own.sandbox.clear_requests()
    for plan in (by_tag, by_repository, unread):
        assert refusal(lambda plan=plan: apply_push(own.client, content, plan)).code == "Refused"  # type: ignore[misc]
    assert own.sandbox.requests == []


def test_a_tag_that_is_locked_against_deletion_alone_may_move(own: OwnSandbox) -> None:
    own.lock_tag("v1", delete=False)
    content = index_of()
    plan = read_push_plan(own.client, content, APP, "v1")
    assert (plan.blockers, plan.moves) == ((), True)
    assert apply_push(own.client, content, plan).tag.digest == content.digest


def test_a_plan_is_good_for_its_own_image_only(own: OwnSandbox) -> None:
    plan = read_push_plan(own.client, index_of(), APP, TAG)
    assert refusal(lambda: apply_push(own.client, index_of(seed="b"), plan)).code == "Refused"


def test_who_may_only_read_is_refused_with_the_reason(own: OwnSandbox) -> None:
    reader = own.as_reader()
    error = refusal(lambda: push(reader, index_of()))
    assert (error.code, error.status) == ("UNAUTHORIZED", 401)
    assert TAG not in own.tags()


# What happens meanwhile


def test_a_tag_that_moved_meanwhile_is_left_where_it_is(own: OwnSandbox) -> None:
    content = index_of()
    plan = read_push_plan(own.client, content, APP, "v1")
    other, _ = own.push(number=2)
    own.move("v1", other)
    error = refusal(lambda: apply_push(own.client, content, plan))
    assert error.code == "ChangedMeanwhile"
    assert "did not tag it" in error.title
    assert own.tags()["v1"] == other


def test_a_tag_that_appeared_meanwhile_is_left(own: OwnSandbox) -> None:
    content = index_of()
    plan = read_push_plan(own.client, content, APP, TAG)
    other, _ = own.push(TAG, number=2)
    assert refusal(lambda: apply_push(own.client, content, plan)).code == "ChangedMeanwhile"
    assert own.tags()[TAG] == other


def test_a_lock_that_appeared_meanwhile_is_told(own: OwnSandbox) -> None:
    content = index_of()
    plan = read_push_plan(own.client, content, APP, TAG)
    own.lock_repository(write=False)
    assert refusal(lambda: apply_push(own.client, content, plan)).code == "REGISTRY_DISALLOWED_OPERATION"
    assert TAG not in own.tags()


def test_a_blob_that_vanished_after_the_plan_is_sent_again(own: OwnSandbox) -> None:
    content = index_of()
    push(own.client, content, tag="v9")
    plan = read_push_plan(own.client, content, APP, TAG)
    gone = content.blobs[0].digest
    own.sandbox.store.blobs.delete(REGISTRY, gone)
    result = apply_push(own.client, content, plan)
    assert [blob.how for blob in result.blobs if blob.digest == gone] == ["sent"]
    assert stored(own, content)


def test_a_file_that_changed_after_it_was_checked_is_never_tagged(own: OwnSandbox) -> None:
    content = index_of()
    blob = content.blobs[0]
    other = Part(RandomAccess(io.BytesIO(b"x" * blob.size), owned=False), 0, blob.size)
    changed = Content((Blob(blob.digest, blob.size, other), *content.blobs[1:]), content.manifests)
    assert refusal(lambda: push(own.client, changed)).code == "DIGEST_INVALID"
    assert TAG not in own.tags()


def test_two_who_push_the_same_at_once_both_succeed(own: OwnSandbox) -> None:
    content = index_of()
    plan = read_push_plan(own.client, content, APP, TAG)
    with ThreadPoolExecutor(2) as pool:
        futures = [pool.submit(apply_push, own.client, content, plan) for _ in range(2)]
        outcomes = {future.exception().code if future.exception() else "" for future in futures}  # type: ignore[union-attr]
    assert outcomes <= {"", "ChangedMeanwhile"}
    assert "" in outcomes
    assert own.tags()[TAG] == content.digest
    assert stored(own, content)


# What fails


@pytest.mark.parametrize("stop_at", [1, CHUNK + 1])
def test_a_stop_leaves_no_tag_and_gives_up_its_uploads(own: OwnSandbox, stop_at: int) -> None:
    content = large(3 * CHUNK)
    stop = Event()

    def stop_there(done: int, _of: int, _what: str) -> None:
        if done >= stop_at:
            stop.set()

    assert refusal(lambda: push(own.client, content, progress=stop_there, stop=stop)).code == "Stopped"
    assert TAG not in own.tags()
    assert open_uploads(own) == 0
    assert push(own.client, content).tag.digest == content.digest


def test_a_stop_at_the_last_manifest_leaves_the_tag_where_it_is(own: OwnSandbox) -> None:
    content = index_of()
    stop, manifests = Event(), list[str]()

    def stop_there(_done: int, _of: int, what: str) -> None:
        if what == "manifests":
            manifests.append(what)
            if len(manifests) == len(content.manifests):
                stop.set()

    assert refusal(lambda: push(own.client, content, progress=stop_there, stop=stop)).code == "Stopped"
    assert TAG not in own.tags()


@pytest.mark.parametrize(
    ("method", "path"),
    [("PATCH", BLOBS), ("POST", BLOBS), ("PUT", BLOBS), ("PUT", "/manifests/sha256"), ("PUT", f"/manifests/{TAG}$")],
)
def test_a_failure_that_stays_leaves_no_tag(own: OwnSandbox, method: str, path: str) -> None:
    own.break_({"method": method, "path": path, "status": 400})
    assert refusal(lambda: push(own.client, index_of())).status == 400
    assert TAG not in own.tags()
    assert open_uploads(own) == 0


def test_an_upload_goes_on_where_the_registry_has_it(own: OwnSandbox) -> None:
    content = large(3 * CHUNK)
    # The answer is lost after the chunk has arrived: a fault of the network, made here at the client.
    client, lost = own.client, []
    once = client.once

    def losing(method: str, path: str, **more: Any) -> Any:
        answer = once(method, path, **more)
        if method == "PATCH" and len(lost) < 2:
            lost.append(path)
            raise blob_uploads.ServiceResponseError("lost")
        return answer

    client.once = losing  # type: ignore[method-assign]
    result = push(client, content)
    assert len(lost) == 2
    assert result.sent_bytes == content.blob_bytes
    assert stored(own, content)


def test_a_last_answer_that_is_lost_is_found_out_and_nothing_sent_twice(own: OwnSandbox) -> None:
    content = index_of()
    client, lost = own.client, set[str]()
    once = client.once

    def losing(method: str, path: str, **more: Any) -> Any:
        answer = once(method, path, **more)
        if method == "PUT" and path not in lost:
            lost.add(path)
            raise blob_uploads.ServiceResponseError("lost")
        return answer

    client.once = losing  # type: ignore[method-assign]
    result = push(client, content)
    assert len(lost) == len(content.blobs)
    assert (result.sent_bytes, {blob.how for blob in result.blobs}) == (content.blob_bytes, {"sent"})
    assert stored(own, content)


@pytest.mark.parametrize("method", ["PATCH", "PUT", "POST", "GET", "HEAD"])
@pytest.mark.parametrize(
    "fault",
    [
        {"status": 500},
        {"status": 503},
        {"status": 429, "retry_after": 0.01},
        {"reset": True},
        {"status": 404, "body": '{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN","message":"gone"}]}'},
    ],
    ids=["500", "503", "429", "reset", "404"],
)
def test_a_fault_that_passes_is_not_seen(own: OwnSandbox, method: str, fault: dict[str, Any]) -> None:
    content = large(CHUNK + 1)
    path = "/blobs/uploads/." if fault.get("status") == 404 else BLOBS
    own.break_({"method": method, "path": path, "times": 2, **fault})
    result = push(own.client, content)
    assert stored(own, content)
    assert own.tags()[TAG] == content.digest == result.tag.digest


@pytest.mark.parametrize("seed", range(6))
def test_with_a_tenth_of_all_requests_failing_nothing_is_lost_doubled_or_wrongly_told(
    own: OwnSandbox, seed: int
) -> None:
    content = index_of("amd64", "arm64", "s390x", seed=str(seed))
    more = large(2 * CHUNK + seed, seed)
    faults: list[dict[str, Any]] = [
        {"status": 429, "retry_after": 0.01},
        {"status": 500},
        {"reset": True},
        {"delay_ms": 5},
    ]
    own.break_(
        *({"path": "^/v2/", "probability": 0.025, "seed": seed * 10 + at, **fault} for at, fault in enumerate(faults))
    )
    for what, repository in ((content, APP), (more, "team/large")):
        result = push(own.client, what, repository)
        assert own.tags(repository)[TAG] == what.digest == result.tag.digest
        assert stored(own, what, repository)
        assert {blob.how for blob in result.blobs} <= {"sent", "there"}
    own.break_()
    failed = [sent for sent in own.sandbox.requests if sent.status in (0, 429, 500)]
    assert failed, "no fault struck: the test shows nothing"
    tags = {**own.tags(), **own.tags("team/large")}
    assert set(tags) == {"v1", TAG}


def test_a_registry_that_does_not_mend_is_told_after_a_while(own: OwnSandbox) -> None:
    own.break_({"method": "PATCH", "path": BLOBS, "status": 500})
    error = refusal(lambda: push(own.client, index_of()))
    assert error.status == 500
    assert len([sent for sent in own.sandbox.requests if sent.method == "PATCH"]) < 40
    assert TAG not in own.tags()


# What a registry may answer that the sandbox does not


def one_blob(size: int = 10) -> Content:
    content = large(size)
    return Content((content.blobs[1],), content.manifests)


UPLOADS = "/v2/app/blobs/uploads/"
PUSH = "repository:app:pull,push"


def serve(registry: CannedRegistry, blob: Blob, location: str) -> None:
    registry.serve("HEAD", f"/v2/app/blobs/{blob.digest.replace(':', '%3A')}", "repository:app:pull", Answer(404))
    registry.serve("POST", UPLOADS, PUSH, Answer(202, None, {"Location": location}))


def send(client: RegistryClient, blob: Blob, mount_from: str = "") -> blob_uploads.BlobResult:
    return blob_uploads.send_blob(
        client, "app", blob, mount_from=mount_from, sent=lambda _: None, stop=Event(), halted=lambda: False
    )


@pytest.mark.parametrize("location", ["{path}?_state=a%2Fb", "https://{host}{path}?_state=a%2Fb"])
def test_an_upload_goes_where_the_registry_says_with_its_query(
    registry: CannedRegistry, client: RegistryClient, location: str
) -> None:
    (blob,) = one_blob().blobs
    path = "/v2/app/blobs/uploads/1-2-3"
    serve(registry, blob, location.format(path=path, host=client.login_server))
    registry.serve("PATCH", path, PUSH, Answer(202, None, {"Location": f"{path}?_state=next", "Range": "0-9"}))
    registry.serve("PUT", path, PUSH, Answer(201))
    assert send(client, blob).how == "sent"
    patch, put = (next(sent for sent in registry.calls() if sent.method == method) for method in ("PATCH", "PUT"))
    assert patch.query == {"_state": "a/b"}
    assert patch.headers["Content-Range"] == "0-9"
    assert put.query == {"_state": "next", "digest": blob.digest}


@pytest.mark.parametrize(
    "location",
    [
        "https://evil.example/v2/app/blobs/uploads/1",
        "//evil.example/v2/app/blobs/uploads/1",
        "http://contoso.azurecr.io/v2/app/blobs/uploads/1",
        "https://contoso.azurecr.io:444/v2/app/blobs/uploads/1",
        "https://contoso.azurecr.io@evil.example/v2/x",
        "/acr/v1/app",
        "/v2/%2e%2e/acr/v1/app",
        "/v2/../acr/v1/app",
    ],
)
def test_an_upload_goes_nowhere_else(registry: CannedRegistry, client: RegistryClient, location: str) -> None:
    (blob,) = one_blob().blobs
    serve(registry, blob, location)
    assert refusal(lambda: send(client, blob)).code == "OtherHost"
    assert not [sent for sent in registry.sent if sent.method in ("PATCH", "PUT")]


def test_a_mount_asks_for_one_token_of_both_repositories_and_falls_back_to_sending(
    registry: CannedRegistry, client: RegistryClient
) -> None:
    (blob,) = one_blob().blobs
    registry.grants = {"app": frozenset({"pull", "push"})}
    path = "/v2/app/blobs/uploads/1-2-3"
    serve(registry, blob, path)
    registry.serve("PATCH", path, PUSH, Answer(202, None, {"Range": "0-9"}))
    registry.serve("PUT", path, PUSH, Answer(201))
    assert send(client, blob, "team/base").how == "sent"
    assert "repository:app:pull,push repository:team/base:pull" in registry.scopes_asked()
    (post,) = (sent for sent in registry.calls() if sent.method == "POST")
    assert post.query == {"mount": blob.digest, "from": "team/base"}


def test_a_registry_that_takes_less_than_it_was_sent_gets_the_rest(
    registry: CannedRegistry, client: RegistryClient
) -> None:
    (blob,) = one_blob().blobs
    path = "/v2/app/blobs/uploads/1"
    serve(registry, blob, path)
    registry.serve(
        "PATCH", path, PUSH, Answer(202, None, {"Range": "0-3"}), reset(), Answer(202, None, {"Range": "0-9"})
    )
    registry.serve("GET", path, PUSH, Answer(204, None, {"Range": "bytes=0-5"}))
    registry.serve("PUT", path, PUSH, Answer(201))
    send(client, blob)
    spans = [sent.headers["Content-Range"] for sent in registry.calls() if sent.method == "PATCH"]
    assert spans == ["0-9", "4-9", "6-9"]


@pytest.mark.parametrize("told", ["", "0-0", "nonsense", "0-99"])
def test_a_registry_that_forgets_again_and_again_is_told(
    registry: CannedRegistry, client: RegistryClient, told: str
) -> None:
    (blob,) = one_blob().blobs
    path = "/v2/app/blobs/uploads/1"
    serve(registry, blob, path)
    registry.serve("PATCH", path, PUSH, Answer(416, None, {"Range": told}))
    registry.serve("GET", path, PUSH, Answer(404))
    registry.serve("DELETE", path, PUSH, Answer(404))
    assert refusal(lambda: send(client, blob)).code == "UploadLost"
    assert len([sent for sent in registry.calls() if sent.method == "PATCH"]) < 20


def test_a_long_wait_is_the_answer(registry: CannedRegistry, client: RegistryClient) -> None:
    (blob,) = one_blob().blobs
    path = "/v2/app/blobs/uploads/1"
    serve(registry, blob, path)
    body = {"errors": [{"code": "TOOMANYREQUESTS", "message": "too many requests"}]}
    registry.serve("PATCH", path, PUSH, Answer(429, body, {"Retry-After": "3600"}))
    registry.serve("DELETE", path, PUSH, Answer(204))
    error = refusal(lambda: send(client, blob))
    assert (error.code, "3600 s" in error.remedy) == ("TOOMANYREQUESTS", True)
    assert registry.calls()[-1].method == "DELETE"


def test_an_upload_without_a_place_is_no_traceback(registry: CannedRegistry, client: RegistryClient) -> None:
    (blob,) = one_blob().blobs
    serve(registry, blob, "")
    assert refusal(lambda: send(client, blob)).code == "BadAnswer"
