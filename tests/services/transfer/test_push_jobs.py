"""A push whose process is killed at any point is ended by another as it would have been, and nothing is sent twice."""

import gzip
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from services.connection.errors import ServiceError
from services.database.engine import open_database
from services.jobs.jobs import Job, begin, request_stop, take_over
from services.jobs.running import RunningJob
from services.transfer import blob_uploads
from services.transfer.archive_images import Content
from services.transfer.archives import read_archive
from services.transfer.push import PushPlan, read_push_plan
from services.transfer.push_jobs import (
    ACTION,
    ArchiveFile,
    as_details,
    as_items,
    list_archives,
    run_push,
)
from tests.support.dying import Process
from tests.support.image_archives import Layout
from tests.support.killed_jobs import LEASE, WHO, Work, found, killed, lost, no_report, ran
from tests.support.own_sandbox import REGISTRY, OwnSandbox

TAG = "v2"
FILE = "image.tar"
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")


@pytest.fixture(autouse=True)
def short_waits_of_uploads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blob_uploads, "_FIRST_WAIT_S", 0.001)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'console.db'}"


@pytest.fixture
def database(url: str) -> Iterator[Engine]:
    engine = open_database(url)
    yield engine
    engine.dispose()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of archives, with one of an index of two platforms."""
    archives = tmp_path / "archives"
    archives.mkdir()
    (archives / FILE).write_bytes(archive())
    return archives


def archive(seed: str = "a", layers: int = 1) -> bytes:
    made = Layout()
    images = [
        made.image(seed, layers, one, platform={"os": "linux", "architecture": one}) for one in ("amd64", "arm64")
    ]
    return made.named(made.index(*images), TAG).tar()


def read(folder: Path, name: str = FILE) -> tuple[str, Content]:
    (image,) = read_archive(folder / name).images
    return image.key, image.prepare(lambda _done, _of: None, threading.Event())


def begun(
    own: OwnSandbox, database: Engine, folder: Path, repository: str, *, uploaded: bool = False, **more: Any
) -> tuple[Job, Content, PushPlan]:
    key, content = read(folder)
    plan = read_push_plan(own.client, content, repository, TAG, **more)
    file = None if uploaded else ArchiveFile(FILE, (folder / FILE).stat().st_size)
    job = begin(
        database, WHO, ACTION, own.registry().login_server, repository, as_items(content, plan),
        as_details(content, plan, key, file), LEASE, attempt=0 if uploaded else 1,
    )  # fmt: skip
    return job, content, plan


def work(folder: Path | None, content: Content | None = None, plan: PushPlan | None = None) -> Work:
    return lambda session, job, running: run_push(
        session, job, running, no_report, content=content, plan=plan, folder=folder
    )


def outcomes(job: Job) -> set[str]:
    return {result.outcome for result in job.results.values()}


def writes(own: OwnSandbox, repository: str) -> dict[str, int]:
    """How often each manifest and tag was put with success, and how many blobs were ended."""
    put = [
        request.path.removeprefix(f"/v2/{repository}/")
        for request in own.sandbox.requests
        if request.method == "PUT" and request.status < 300 and request.path.startswith(f"/v2/{repository}/")
    ]
    names = ["blobs" if path.startswith("blobs/") else path.removeprefix("manifests/") for path in put]
    return {name: names.count(name) for name in names}


def is_stored(own: OwnSandbox, content: Content, repository: str) -> bool:
    store = own.sandbox.store
    return all(
        store.get_manifest_body(REGISTRY, repository, one.digest) == one.raw for one in content.manifests
    ) and all(store.blobs.size(REGISTRY, repository, one.digest) == one.size for one in content.blobs)


def refusal(own: OwnSandbox, database: Engine, job: Job, folder: Path | None) -> ServiceError:
    running = RunningJob(database, job, LEASE, threading.Event())
    with pytest.raises(ServiceError) as raised:
        run_push(own.session(), job, running, no_report, folder=folder)
    running.abandon()
    return raised.value


@pytest.mark.parametrize("at", ["as it sends", "before the answer", "after a write"])
def test_killed_at_any_point_it_is_ended_as_if_it_had_not_been(
    own: OwnSandbox, database: Engine, url: str, folder: Path, at: str
) -> None:
    point = points = 0
    while True:
        point += 1
        repository = f"team/pushed{point}"
        limits = {"commits": point} if at == "after a write" else {"requests": point}
        process = Process(own.sandbox, url, answered=at == "before the answer", **limits)
        job, content, plan = begun(own, database, folder, repository)
        own.sandbox.clear_requests()
        if not killed(process, job, work(folder, content, plan)):
            break
        points += 1
        ended = found(database, job)
        if not ended.ended:
            ended = ran(database, own.session(), lost(database, job), work(folder))
        assert not ended.open and ended.error == "", point
        assert outcomes(ended) <= {"created", "already done"}, (point, ended.results)
        assert own.tags(repository) == {TAG: content.digest}
        assert is_stored(own, content, repository)
        once = {"blobs": len(content.blobs), TAG: 1, **{one.digest: 1 for one in content.manifests}}
        assert writes(own, repository) == once, point
    assert points >= 6


def test_an_archive_that_is_not_on_this_replica_fails_and_what_was_done_stays(
    own: OwnSandbox, database: Engine, url: str, folder: Path
) -> None:
    process = Process(own.sandbox, url, commits=4)
    job, content, plan = begun(own, database, folder, "team/pushed")
    assert killed(process, job, work(folder, content, plan))
    before = found(database, job).results
    (folder / FILE).unlink()
    taken = lost(database, job)
    error = refusal(own, database, taken, folder)
    assert error.cause == f"The archive {FILE} is not on this replica."
    assert refusal(own, database, taken, None).code == "ArchiveGone"
    assert before and found(database, job).results == before


def test_it_is_the_same_archive_by_its_content_not_by_its_name(own: OwnSandbox, database: Engine, folder: Path) -> None:
    other = archive("b")
    assert len(other) == (folder / FILE).stat().st_size
    for data, how in ((other, "no longer has the image"), (archive(layers=9), "bytes, and had")):
        job, _, _ = begun(own, database, folder, "team/pushed")
        kept = (folder / FILE).read_bytes()
        (folder / FILE).write_bytes(data)
        taken = lost(database, job)
        error = refusal(own, database, taken, folder)
        assert (error.code, how in error.cause) == ("ArchiveChanged", True)
        (folder / FILE).write_bytes(kept)
        assert not ran(database, own.session(), taken, work(folder)).open


def test_a_gzipped_archive_is_continued(own: OwnSandbox, database: Engine, folder: Path) -> None:
    (folder / FILE).write_bytes(gzip.compress(archive()))
    job, content, _ = begun(own, database, folder, "team/pushed")
    assert not ran(database, own.session(), lost(database, job), work(folder)).open
    assert is_stored(own, content, "team/pushed")


def test_what_was_to_be_mounted_is_mounted_by_who_continues(own: OwnSandbox, database: Engine, folder: Path) -> None:
    job, content, plan = begun(own, database, folder, "team/base")
    ran(database, own.session(), job, work(folder, content, plan))
    elsewhere = {blob.digest: "team/base" for blob in content.blobs}
    job, _, _ = begun(own, database, folder, "team/other", elsewhere=elsewhere)
    job = ran(database, own.session(), lost(database, job), work(folder))
    layers = {blob.digest for blob in content.blobs}
    assert {job.results[item.name].outcome for item in job.items if item.digest in layers} == {"mounted"}
    assert is_stored(own, content, "team/other")


def test_a_tag_that_moved_meanwhile_is_left_where_it_is(own: OwnSandbox, database: Engine, folder: Path) -> None:
    job, _, _ = begun(own, database, folder, "team/pushed")
    theirs, _ = own.push(TAG, number=2, repository="team/pushed")
    taken = lost(database, job)
    error = refusal(own, database, taken, folder)
    assert error.code == "ChangedMeanwhile" and f"The tag {TAG} points to {theirs} now." in error.cause
    assert own.tags("team/pushed") == {TAG: theirs}
    assert writes(own, "team/pushed") == {}


def test_a_stop_from_elsewhere_leaves_what_is_open_untried(own: OwnSandbox, database: Engine, folder: Path) -> None:
    job, content, plan = begun(own, database, folder, "team/pushed")
    stop = threading.Event()

    def stopping(done: int, _of: int, _what: str) -> None:
        if done:
            request_stop(database, WHO, job.id)
            stop.set()

    running = RunningJob(database, job, LEASE, stop)
    run_push(own.session(), job, running, stopping, content=content, plan=plan)
    running.end()
    ended = found(database, job)
    assert ended.ended and ended.open and not ended.error
    assert own.tags("team/pushed") == {}


def test_an_uploaded_archive_is_recorded_and_never_continued(own: OwnSandbox, database: Engine, folder: Path) -> None:
    job, content, plan = begun(own, database, folder, "team/pushed", uploaded=True)
    running = RunningJob(database, job, LEASE, threading.Event())
    running.abandon()
    with database.begin() as db:
        db.exec_driver_sql("UPDATE jobs SET lease_until = begun")
    assert take_over(database, WHO, LEASE, [ACTION]) is None
    assert "Push it again: what is there is skipped." in job.details["interrupted"]
    job, content, plan = begun(own, database, folder, "team/pushed", uploaded=True)
    assert not ran(database, own.session(), job, work(None, content, plan)).open
    assert is_stored(own, content, "team/pushed")


def test_only_archives_of_the_folder_itself_are_listed(folder: Path) -> None:
    outside = folder.parent / "outside.tar"
    outside.write_bytes(b"secret")
    (folder / "link.tar").symlink_to(outside)
    (folder / "inside.tgz").symlink_to(folder / FILE)
    (folder / "notes.txt").write_bytes(b"text")
    (folder / "sub").mkdir()
    (folder / "sub" / "other.tar").write_bytes(b"tar")
    assert [one.name for one in list_archives(folder)] == [FILE, "inside.tgz"]
    with pytest.raises(ServiceError, match="NoArchives"):
        list_archives(folder / "nowhere")
