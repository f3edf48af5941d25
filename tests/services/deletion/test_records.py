"""What was to be deleted is on disk before anything is, and what became of each item as it ends."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from services.deletion.records import (
    KEPT,
    WITH_SUBJECT,
    DeletionRecord,
    Fate,
    RecordedItem,
    begin,
    deleted_as_az_prints,
    fates_of_open,
    find_record,
    look,
    records,
    state_of,
)
from tests.support.documents import digest_of
from tests.support.own_sandbox import APP, OwnSandbox

WHO = "https://management.azure.com tenant/object"
ITEMS = [RecordedItem(digest_of(n), digest_of(n), (f"v{n}",)) for n in range(1, 4)]


def begun(
    folder: Path, who: str = WHO, items: list[RecordedItem] | None = None, action: str = "delete manifests"
) -> DeletionRecord:
    recording = begin(folder, who, action, "contoso.azurecr.io", APP, ITEMS if items is None else items)
    found = find_record(folder, who, recording.id)
    assert found
    return found


def test_what_is_planned_is_there_before_anything_is_done(tmp_path: Path) -> None:
    record = begun(tmp_path)
    assert record.items == tuple(ITEMS)
    assert record.open == tuple(ITEMS)
    assert (record.action, record.login_server, record.repository) == ("delete manifests", "contoso.azurecr.io", APP)
    assert not record.ended
    assert not record.whole


def test_outcomes_are_there_as_they_come(tmp_path: Path) -> None:
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
    assert record and record.whole and record.answer == '{"manifestsDeleted": []}'


def test_files_of_older_words_are_read(tmp_path: Path) -> None:
    recording = begin(tmp_path, WHO, "delete manifests", "contoso.azurecr.io", APP, ITEMS)
    words = ("gone already", "gone along", "untagged")
    for item, word in zip(ITEMS, words, strict=True):
        recording.write({"name": item.name, "outcome": word})
    record = find_record(tmp_path, WHO, recording.id)
    assert record
    assert [record.fates[item.name].outcome for item in ITEMS] == ["already done", WITH_SUBJECT, "deleted"]
    assert all(fate.is_gone for fate in record.fates.values())


def test_a_deletion_that_broke_off_is_not_whole(tmp_path: Path) -> None:
    recording = begin(tmp_path, WHO, "remove tags", "contoso.azurecr.io", APP, ITEMS)
    recording.end(error="Could not read")
    record = find_record(tmp_path, WHO, recording.id)
    assert record and record.ended and not record.whole and record.error == "Could not read"


def test_a_line_that_was_cut_off_is_an_item_of_which_nothing_is_known(tmp_path: Path) -> None:
    recording = begin(tmp_path, WHO, "delete manifests", "contoso.azurecr.io", APP, ITEMS)
    recording.add_result(ITEMS[0].name, "deleted")
    (file,) = tmp_path.rglob("*.jsonl")
    file.write_bytes(file.read_bytes() + json.dumps({"name": ITEMS[1].name, "outcome": "deleted"}).encode()[:-5])
    record = find_record(tmp_path, WHO, recording.id)
    assert record and record.open == (ITEMS[1], ITEMS[2])


def test_a_file_cut_off_in_its_first_line_was_begun_by_nobody(tmp_path: Path) -> None:
    begun(tmp_path)
    (file,) = tmp_path.rglob("*.jsonl")
    file.write_bytes(file.read_bytes()[:40])
    assert records(tmp_path, WHO) == ()


def test_another_identity_sees_nothing_of_it(tmp_path: Path) -> None:
    record = begun(tmp_path)
    assert records(tmp_path, "somebody else") == ()
    assert find_record(tmp_path, "somebody else", record.id) is None
    assert find_record(tmp_path, WHO, f"../{record.id}") is None


def test_the_newest_come_first_and_the_oldest_go(tmp_path: Path) -> None:
    ids = [begun(tmp_path, items=[]).id for _ in range(KEPT + 3)]
    assert [record.id for record in records(tmp_path, WHO)] == ids[: -KEPT - 1 : -1]


def test_many_threads_write_whole_lines(tmp_path: Path) -> None:
    items = [RecordedItem(f"v{number}", digest_of(number)) for number in range(500)]
    recording = begin(tmp_path, WHO, "remove tags", "contoso.azurecr.io", APP, items)
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda item: recording.add_result(item.name, "deleted"), items))
    record = find_record(tmp_path, WHO, recording.id)
    assert record and len(record.fates) == 500 and not record.open


def test_what_nothing_was_written_down_of_is_looked_at(own: OwnSandbox, tmp_path: Path) -> None:
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


NOW = datetime(2026, 11, 28, tzinfo=UTC)


def test_a_state_says_how_it_ended(tmp_path: Path) -> None:
    record = begun(tmp_path)
    assert state_of(record, running=True) == "Running"
    assert state_of(record, running=False) == "Interrupted"
    assert state_of(replace(record, ended=NOW, error="503"), running=False) == "Failed"
    assert state_of(replace(record, ended=NOW), running=False) == "Stopped"
    every = {item.name: Fate("deleted") for item in ITEMS}
    assert state_of(replace(record, ended=NOW, fates=every), running=False) == "Completed"


def test_what_a_stopped_deletion_did_not_try_is_not_called_unknown(tmp_path: Path) -> None:
    record = replace(begun(tmp_path), ended=NOW, fates={ITEMS[0].name: Fate("deleted")})
    found = fates_of_open(record, None)
    assert {fate.outcome for fate in found.values()} == {"not tried"}
    assert set(found) == {ITEMS[1].name, ITEMS[2].name}


def test_what_an_interrupted_one_did_is_what_the_registry_shows_or_unknown_with_its_reason(tmp_path: Path) -> None:
    record = begun(tmp_path)
    found = fates_of_open(record, [(ITEMS[0].name, Fate("gone"))])
    assert found[ITEMS[0].name] == Fate("gone")
    assert found[ITEMS[1].name] == Fate("unknown", "The registry could not be read again")
    assert set(fates_of_open(record, None).values()) == {Fate("unknown", "This identity does not see the registry")}


def test_az_prints_what_is_deleted_and_nothing_for_tags_alone(tmp_path: Path) -> None:
    record = replace(
        begun(tmp_path), fates={ITEMS[0].name: Fate("deleted"), ITEMS[1].name: Fate("refused", "It is locked.")}
    )
    assert json.loads(deleted_as_az_prints(record)) == {"manifestsDeleted": [ITEMS[0].digest], "tagsDeleted": ["v1"]}
    assert deleted_as_az_prints(replace(record, action="remove tags")) == ""
    assert deleted_as_az_prints(replace(record, answer="{}")) == "{}"
