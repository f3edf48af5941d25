"""Records that older versions kept as files are read into the database, each once, and damaged ones are named."""

import json
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.connection.parallel import Partial
from services.deletion.job_records import look, record_of
from services.deletion.record_files import import_files, read_file
from services.deletion.records import WITH_SUBJECT, Action, DeletionRecord, Fate, RecordedItem
from services.jobs.audit import verify
from services.jobs.jobs import find_job, list_jobs, take_over
from tests.support.databases import sqlite
from tests.support.documents import digest_of
from tests.support.old_record_files import OldRecording, write_old_record
from tests.support.own_sandbox import APP, OwnSandbox

WHO = "https://management.azure.com tenant/object"
ITEMS = [RecordedItem(digest_of(n), digest_of(n), (f"v{n}",)) for n in range(1, 4)]


def records(folder: Path) -> Partial[DeletionRecord]:
    """What a new database has of the folder's files, once they were read into it."""
    with TemporaryDirectory() as own, sqlite(Path(own)) as database:
        read = import_files(database, folder, WHO)
        found = [find_job(database, WHO, one) for one in read.values]
        return Partial(tuple(record_of(job) for job in found if job), read.refused)


def only_file(folder: Path) -> Path:
    (file,) = folder.rglob("*.jsonl")
    return file


def begun(folder: Path, items: list[RecordedItem] | None = None, action: str = "delete manifests") -> OldRecording:
    return write_old_record(folder, WHO, action, "contoso.azurecr.io", APP, ITEMS if items is None else items)


def ended(folder: Path) -> str:
    """The id of one that came to its end without items."""
    recording = begun(folder, [], "remove tags")
    recording.end()
    return recording.id


def test_files_are_read_once_and_kept_beside(tmp_path: Path) -> None:
    recording = begun(tmp_path)
    recording.add_result(ITEMS[0].name, "deleted")
    recording.add_result(ITEMS[1].name, "refused", "line one\nline two\u2028 and {}")
    recording.end(answer='{"manifestsDeleted": []}')
    with sqlite(tmp_path) as database:
        assert import_files(database, tmp_path, "somebody else").values == ()
        assert import_files(database, tmp_path, WHO).values == (recording.id,)
        assert import_files(database, tmp_path, WHO).values == ()
        assert only_file(tmp_path).parent.name == "imported"
        only_file(tmp_path).rename(recording.file)  # As if it could not have been moved.
        assert import_files(database, tmp_path, WHO).values == ()
        job = find_job(database, WHO, recording.id)
        assert job
        record = record_of(job)
        assert verify(database).fault == ""
    assert record.items == tuple(ITEMS)
    assert record.open == (ITEMS[2],)
    assert record.completed
    assert record.answer == '{"manifestsDeleted": []}'
    assert record.fates[ITEMS[1].name] == Fate("refused", "line one\nline two\u2028 and {}")


def test_one_that_was_interrupted_is_not_continued(tmp_path: Path) -> None:
    begun(tmp_path)
    with sqlite(tmp_path) as database:
        import_files(database, tmp_path, WHO)
        assert take_over(database, WHO, timedelta(seconds=30), get_args(Action)) is None
        assert [one.state for one in list_jobs(database, WHO)] == ["Interrupted"]


def test_files_of_older_words_are_read(tmp_path: Path) -> None:
    recording = begun(tmp_path)
    words = ("gone already", "gone along", "untagged")
    for item, word in zip(ITEMS, words, strict=True):
        recording.write({"name": item.name, "outcome": word})
    (record,) = records(tmp_path).values
    assert [record.fates[item.name].outcome for item in ITEMS] == ["already done", WITH_SUBJECT, "deleted"]
    assert all(fate.is_gone for fate in record.fates.values())


def test_a_failed_deletion_has_not_completed(tmp_path: Path) -> None:
    begun(tmp_path).end(error="Could not read")
    (record,) = records(tmp_path).values
    assert record.ended and not record.completed and record.error == "Could not read"


def test_an_item_whose_line_was_interrupted_has_no_result(tmp_path: Path) -> None:
    begun(tmp_path).add_result(ITEMS[0].name, "deleted")
    file = only_file(tmp_path)
    file.write_bytes(file.read_bytes() + json.dumps({"name": ITEMS[1].name, "outcome": "deleted"}).encode()[:-5])
    (record,) = records(tmp_path).values
    assert record.open == (ITEMS[1], ITEMS[2])
    assert not record.damaged_lines


def test_items_without_a_result_are_looked_up(own: OwnSandbox, tmp_path: Path) -> None:
    there, _ = own.push("stays", "moved")
    gone = digest_of(50)
    elsewhere, _ = own.push(number=2)
    own.move("moved", elsewhere)
    begun(tmp_path, [RecordedItem(there, there), RecordedItem(gone, gone)])
    (manifests,) = records(tmp_path).values
    assert dict(look(own.client, manifests).values) == {there: Fate("still there"), gone: Fate("gone")}
    items = [RecordedItem(name, there) for name in ("stays", "moved", "removed")]
    begun(tmp_path, items, "remove tags")
    (tags,) = records(tmp_path).values
    assert dict(look(own.client, tags).values) == {
        "stays": Fate("still there"),
        "moved": Fate("still there", f"It points to {elsewhere} now."),
        "removed": Fate("gone"),
    }


# Damaged files

HEAD: dict[str, Any] = {
    "action": "remove tags",
    "login_server": "contoso.azurecr.io",
    "repository": APP,
    "begun": "2026-11-28T10:00:00+00:00",
    "items": [["v1", digest_of(1), []], ["v2", digest_of(1), []]],
}
DAMAGED_HEADS = {
    "empty": b"",
    "a line break": b"\n",
    "truncated": json.dumps(HEAD).encode()[:40],
    "binary": bytes(range(256)),
    "a list": b"[]\n",
    "a number": b"5\n",
    "null": b"null\n",
    "nested": b"[" * 100_000 + b"\n",
    "a result first": b'{"name": "v1", "outcome": "deleted"}\n',
    **{
        f"{name} {value!r}": json.dumps({**HEAD, name: value}).encode() + b"\n"
        for name, value in (
            ("action", "something else"),
            ("action", ["remove tags"]),
            ("login_server", None),
            ("repository", 5),
            ("begun", "yesterday"),
            ("begun", "2026-11-28T10:00:00"),
            ("begun", 5),
            ("items", None),
            ("items", {"a": 1}),
            ("items", [["v1"]]),
            ("items", [["v1", 5, []]]),
            ("items", [["v1", digest_of(1), [None]]]),
            ("items", "abc"),
        )
    },
}


@pytest.mark.parametrize("content", DAMAGED_HEADS.values(), ids=DAMAGED_HEADS)
def test_a_damaged_file_is_named_and_hides_no_other(tmp_path: Path, content: bytes) -> None:
    good = ended(tmp_path)
    folder = only_file(tmp_path).parent
    (folder / "20260101T000000000000-damaged.jsonl").write_bytes(content)
    for there in ([good], []):  # It is named again, until somebody removes it.
        read = records(tmp_path)
        assert [record.id for record in read.values] == there
        assert [refusal.what for refusal in read.refused] == ["20260101T000000000000-damaged.jsonl"]
        assert read.refused[0].error.code == "DamagedRecord"


def test_a_folder_in_the_place_of_a_file_is_named_and_hides_no_other(tmp_path: Path) -> None:
    good = ended(tmp_path)
    (only_file(tmp_path).parent / "folder.jsonl").mkdir()
    read = records(tmp_path)
    assert [record.id for record in read.values] == [good]
    assert [refusal.what for refusal in read.refused] == ["folder.jsonl"]


DAMAGED_LINES = (
    b"{",
    b"[]",
    b"5",
    bytes(range(128, 256)),
    b"[" * 100_000,
    b"{}",
    b'{"name": "v1"}',
    b'{"name": "v9", "outcome": "deleted"}',
    b'{"name": ["v1"], "outcome": "deleted"}',
    b'{"name": "v1", "outcome": "eaten"}',
    b'{"name": "v1", "outcome": ["deleted"]}',
    b'{"name": "v1", "outcome": "refused", "cause": 5}',
    b'{"ended": 5}',
    b'{"ended": "today"}',
)


@pytest.mark.parametrize("line", DAMAGED_LINES, ids=lambda line: repr(line[:40]))
def test_a_damaged_line_costs_itself_and_what_it_said_is_unknown(tmp_path: Path, line: bytes) -> None:
    """An item of such a file is not called "not tried": its result may be what is damaged."""
    ended(tmp_path)
    file = only_file(tmp_path)
    end = b'{"ended": "2026-11-28T10:01:00+00:00"}'
    file.write_bytes(b"\n".join((json.dumps(HEAD).encode(), line, b'{"name": "v2", "outcome": "deleted"}', end, b"")))
    (record,) = records(tmp_path).values
    assert record.damaged_lines == 1
    assert record.fates == {"v2": Fate("deleted")}
    assert record.ended
    assert not record.completed


@given(cut=st.integers(0, 10**6))
@settings(suppress_health_check=list(HealthCheck))
def test_wherever_a_file_ends_it_says_nothing_that_is_not_so(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    folder = tmp_path_factory.mktemp("records")
    recording = begun(folder)
    recording.add_result(ITEMS[0].name, "deleted")
    recording.add_result(ITEMS[1].name, "refused", "It is locked.")
    recording.end()
    file = only_file(folder)
    complete = read_file(file)
    content = file.read_bytes()
    file.write_bytes(content[: cut % (len(content) + 1)])
    read = records(folder)
    assert len(read.values) + len(read.refused) == 1
    for record in read.values:
        assert record.items == complete.items
        assert record.fates.items() <= complete.fates.items()
        assert not record.damaged_lines
        assert record.ended is None or record == complete
