"""What was to be deleted is on disk before anything is, and the result of each item as it ends."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.connection.errors import ServiceError
from services.deletion import record_files
from services.deletion.record_files import KEPT, begin, find_record, look, records
from services.deletion.records import WITH_SUBJECT, DeletionRecord, Fate, RecordedItem
from tests.support.documents import digest_of
from tests.support.own_sandbox import APP, OwnSandbox

WHO = "https://management.azure.com tenant/object"
ITEMS = [RecordedItem(digest_of(n), digest_of(n), (f"v{n}",)) for n in range(1, 4)]


def begun(
    folder: Path, who: str = WHO, items: list[RecordedItem] | None = None, action: str = "delete manifests"
) -> DeletionRecord:
    recording = begin(folder, who, action, "contoso.azurecr.io", APP, ITEMS if items is None else items)  # type: ignore[arg-type]
    found = find_record(folder, who, recording.id)
    assert found
    return found


def ended(folder: Path, **more: str) -> str:
    """The id of one that came to its end without items."""
    recording = begin(folder, WHO, "remove tags", "contoso.azurecr.io", APP, [])
    recording.end(**more)
    return recording.id


def ids(folder: Path) -> list[str]:
    return [record.id for record in records(folder, WHO).values]


def only_file(folder: Path) -> Path:
    (file,) = folder.rglob("*.jsonl")
    return file


def test_the_plan_is_on_disk_before_anything_is_deleted(tmp_path: Path) -> None:
    record = begun(tmp_path)
    assert record.items == tuple(ITEMS)
    assert record.open == tuple(ITEMS)
    assert (record.action, record.login_server, record.repository) == ("delete manifests", "contoso.azurecr.io", APP)
    assert not record.ended
    assert not record.completed


def test_results_are_on_disk_as_they_come(tmp_path: Path) -> None:
    recording = begin(tmp_path, WHO, "delete manifests", "contoso.azurecr.io", APP, ITEMS)
    recording.add_result(ITEMS[0].name, "deleted")
    recording.add_result(ITEMS[1].name, "refused", "line one\nline two\u2028 and {}")
    record = find_record(tmp_path, WHO, recording.id)
    assert record
    assert record.fates == {
        ITEMS[0].name: Fate("deleted"),
        ITEMS[1].name: Fate("refused", "line one\nline two\u2028 and {}"),
    }
    assert record.open == (ITEMS[2],)
    recording.end(answer='{"manifestsDeleted": []}')
    record = find_record(tmp_path, WHO, recording.id)
    assert record and record.completed and record.answer == '{"manifestsDeleted": []}'


def test_files_of_older_words_are_read(tmp_path: Path) -> None:
    recording = begin(tmp_path, WHO, "delete manifests", "contoso.azurecr.io", APP, ITEMS)
    words = ("gone already", "gone along", "untagged")
    for item, word in zip(ITEMS, words, strict=True):
        recording.write({"name": item.name, "outcome": word})
    record = find_record(tmp_path, WHO, recording.id)
    assert record
    assert [record.fates[item.name].outcome for item in ITEMS] == ["already done", WITH_SUBJECT, "deleted"]
    assert all(fate.is_gone for fate in record.fates.values())


def test_a_failed_deletion_has_not_completed(tmp_path: Path) -> None:
    recording = begin(tmp_path, WHO, "remove tags", "contoso.azurecr.io", APP, ITEMS)
    recording.end(error="Could not read")
    record = find_record(tmp_path, WHO, recording.id)
    assert record and record.ended and not record.completed and record.error == "Could not read"


def test_an_item_whose_line_was_interrupted_has_no_result(tmp_path: Path) -> None:
    recording = begin(tmp_path, WHO, "delete manifests", "contoso.azurecr.io", APP, ITEMS)
    recording.add_result(ITEMS[0].name, "deleted")
    file = only_file(tmp_path)
    file.write_bytes(file.read_bytes() + json.dumps({"name": ITEMS[1].name, "outcome": "deleted"}).encode()[:-5])
    record = find_record(tmp_path, WHO, recording.id)
    assert record and record.open == (ITEMS[1], ITEMS[2])
    assert not record.damaged_lines


def test_another_identity_sees_nothing_of_it(tmp_path: Path) -> None:
    record = begun(tmp_path)
    assert records(tmp_path, "somebody else").values == ()
    assert find_record(tmp_path, "somebody else", record.id) is None
    assert find_record(tmp_path, WHO, f"../{record.id}") is None


def test_many_threads_write_complete_lines(tmp_path: Path) -> None:
    items = [RecordedItem(f"v{number}", digest_of(number)) for number in range(500)]
    recording = begin(tmp_path, WHO, "remove tags", "contoso.azurecr.io", APP, items)
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda item: recording.add_result(item.name, "deleted"), items))
    record = find_record(tmp_path, WHO, recording.id)
    assert record and len(record.fates) == 500 and not record.open


def test_items_without_a_result_are_looked_up(own: OwnSandbox, tmp_path: Path) -> None:
    there, _ = own.push("stays", "moved")
    gone = digest_of(50)
    elsewhere, _ = own.push(number=2)
    own.move("moved", elsewhere)
    manifests = begun(tmp_path, items=[RecordedItem(there, there), RecordedItem(gone, gone)])
    assert dict(look(own.client, manifests).values) == {there: Fate("still there"), gone: Fate("gone")}
    items = [RecordedItem(name, there) for name in ("stays", "moved", "removed")]
    tags = begun(tmp_path, items=items, action="remove tags")
    assert dict(look(own.client, tags).values) == {
        "stays": Fate("still there"),
        "moved": Fate("still there", f"It points to {elsewhere} now."),
        "removed": Fate("gone"),
    }


# How many are kept


def test_the_newest_come_first_and_the_oldest_are_discarded(tmp_path: Path) -> None:
    every = [ended(tmp_path) for _ in range(KEPT + 3)]
    assert ids(tmp_path) == every[: -KEPT - 1 : -1]


@given(kinds=st.lists(st.sampled_from(["ended", "running", "failed", "failed, all known", "damaged"]), max_size=12))
@settings(suppress_health_check=list(HealthCheck))
def test_an_unfinished_record_is_never_discarded(tmp_path_factory: pytest.TempPathFactory, kinds: list[str]) -> None:
    """Whatever else there is: what became of its items is in no other place."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(record_files, "KEPT", 3)
        folder = tmp_path_factory.mktemp("records")
        kept, discardable = [], []
        for kind in kinds:
            if kind == "ended":
                discardable.append(ended(folder))
                continue
            recording = begin(folder, WHO, "delete manifests", "contoso.azurecr.io", APP, ITEMS[:1])
            if kind == "failed, all known":
                recording.add_result(ITEMS[0].name, "refused", "It is locked.")
            if kind.startswith("failed"):
                recording.end(error="503")
            if kind == "damaged":
                next(folder.rglob(f"{recording.id}.jsonl")).write_bytes(b"\xff\x00")
            (discardable if kind == "failed, all known" else kept).append(recording.id)
        last = ended(folder)
        files = {file.stem for file in folder.rglob("*.jsonl")}
        assert files == {*kept, *discardable[-2:], last}


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
    read = records(tmp_path, WHO)
    assert [record.id for record in read.values] == [good]
    assert [refusal.what for refusal in read.refused] == ["20260101T000000000000-damaged.jsonl"]
    assert read.refused[0].error.code == "DamagedRecord"
    with pytest.raises(ServiceError, match="could not be read"):
        find_record(tmp_path, WHO, "20260101T000000000000-damaged")
    assert find_record(tmp_path, WHO, good)
    assert ended(tmp_path)


def test_a_folder_in_the_place_of_a_file_is_named_and_hides_no_other(tmp_path: Path) -> None:
    good = ended(tmp_path)
    (only_file(tmp_path).parent / "folder.jsonl").mkdir()
    read = records(tmp_path, WHO)
    assert [record.id for record in read.values] == [good]
    assert [refusal.what for refusal in read.refused] == ["folder.jsonl"]


def test_a_folder_that_can_not_be_listed_is_an_error_and_not_an_empty_list(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    for call in (lambda: records(file, WHO), lambda: find_record(file, WHO, "x")):
        with pytest.raises(ServiceError, match="could not be read"):
            call()
    assert records(tmp_path / "new", WHO).values == ()


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
    (record,) = records(tmp_path, WHO).values
    assert record.damaged_lines == 1
    assert record.fates == {"v2": Fate("deleted")}
    assert record.ended
    assert not record.completed
    assert not record.settled


@given(cut=st.integers(0, 10**6))
@settings(suppress_health_check=list(HealthCheck))
def test_wherever_a_file_ends_it_says_nothing_that_is_not_so(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    folder = tmp_path_factory.mktemp("records")
    recording = begin(folder, WHO, "delete manifests", "contoso.azurecr.io", APP, ITEMS)
    recording.add_result(ITEMS[0].name, "deleted")
    recording.add_result(ITEMS[1].name, "refused", "It is locked.")
    recording.end()
    complete = recording.read()
    file = only_file(folder)
    content = file.read_bytes()
    file.write_bytes(content[: cut % (len(content) + 1)])
    read = records(folder, WHO)
    assert len(read.values) + len(read.refused) == 1
    for record in read.values:
        assert record.items == complete.items
        assert record.fates.items() <= complete.fates.items()
        assert not record.damaged_lines
        assert record.ended is None or record == complete
