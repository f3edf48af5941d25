"""What a record says of its deletion: how it ended, and what became of each item."""

import json
from dataclasses import replace
from datetime import UTC, datetime

from services.deletion.records import (
    WITH_SUBJECT,
    DeletionRecord,
    Fate,
    RecordedItem,
    deleted_as_az_prints,
    fates_of_open,
    state_of,
)
from tests.support.documents import digest_of

ITEMS = [RecordedItem(digest_of(n), digest_of(n), (f"v{n}",)) for n in range(1, 4)]
NOW = datetime(2026, 11, 28, tzinfo=UTC)
BEGUN = DeletionRecord("1", "delete manifests", "contoso.azurecr.io", "team/app", NOW, tuple(ITEMS), {})


def test_a_state_says_how_it_ended() -> None:
    record = BEGUN
    assert state_of(record, running=True) == "Running"
    assert state_of(record, running=False) == "Interrupted"
    assert state_of(replace(record, ended=NOW, error="503"), running=False) == "Failed"
    assert state_of(replace(record, ended=NOW), running=False) == "Stopped"
    assert state_of(replace(record, ended=NOW, damaged_lines=1), running=False) == "Unknown"
    every = {item.name: Fate("deleted") for item in ITEMS}
    assert state_of(replace(record, ended=NOW, fates=every), running=False) == "Completed"


def test_what_a_stopped_deletion_did_not_try_is_not_called_unknown() -> None:
    record = replace(BEGUN, ended=NOW, fates={ITEMS[0].name: Fate("deleted")})
    found = fates_of_open(record, None)
    assert {fate.outcome for fate in found.values()} == {"not tried"}
    assert set(found) == {ITEMS[1].name, ITEMS[2].name}


def test_what_an_interrupted_one_did_is_what_the_registry_shows_or_unknown_with_its_reason() -> None:
    record = BEGUN
    found = fates_of_open(record, [(ITEMS[0].name, Fate("gone"))])
    assert found[ITEMS[0].name] == Fate("gone")
    assert found[ITEMS[1].name] == Fate("unknown", "The registry could not be read again")
    assert set(fates_of_open(record, None).values()) == {Fate("unknown", "This identity does not see the registry")}


def test_az_prints_what_is_deleted_and_nothing_for_tags_alone() -> None:
    record = replace(BEGUN, fates={ITEMS[0].name: Fate("deleted"), ITEMS[1].name: Fate("refused", "It is locked.")})
    assert json.loads(deleted_as_az_prints(record)) == {"manifestsDeleted": [ITEMS[0].digest], "tagsDeleted": ["v1"]}
    with_subject = replace(record, fates={ITEMS[0].name: Fate(WITH_SUBJECT)})
    assert json.loads(deleted_as_az_prints(with_subject))["manifestsDeleted"] == [ITEMS[0].digest]
    assert deleted_as_az_prints(replace(record, action="remove tags")) == ""
    assert deleted_as_az_prints(replace(record, answer="{}")) == "{}"


def test_what_somebody_else_deleted_is_gone_and_not_ours() -> None:
    already, deleted, seen = (Fate("already done"), Fate("deleted"), Fate("gone"))
    assert [fate.is_gone for fate in (already, deleted, seen)] == [True, True, True]
    assert [fate.is_deleted for fate in (already, deleted, seen)] == [False, True, False]
    fates = {ITEMS[0].name: already, ITEMS[1].name: deleted}
    assert json.loads(deleted_as_az_prints(replace(BEGUN, fates=fates))) == {
        "manifestsDeleted": [ITEMS[1].digest],
        "tagsDeleted": ["v2"],
    }
    assert deleted_as_az_prints(replace(BEGUN, fates={ITEMS[0].name: already})) == ""
