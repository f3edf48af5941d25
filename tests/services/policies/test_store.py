"""Policies are kept with every version, and nobody's save is lost under another's."""

import pytest
from sqlalchemy import Engine, select

from services.connection.errors import ServiceError
from services.database.engine import reading
from services.database.tables import policy_versions
from services.jobs.audit import read_entries, verify
from services.policies.store import create_policy, delete_policy, list_policies, list_versions, save_policy

ME, OTHER = "https://arm.example tenant/me", "https://arm.example tenant/other"


def text(name: str = "Production", days: int = 30) -> str:
    return f"# why\nname: {name}\nrules:\n  - name: old\n    action: delete\n    older_than_days: {days}\n"


def test_every_version_is_kept_as_it_was_written(database: Engine) -> None:
    first = create_policy(database, ME, text())
    second = save_policy(database, OTHER, first, text(days=60))
    assert [(one.version, one.who, one.text) for one in list_versions(database, first.id)] == [
        (2, OTHER, text(days=60)),
        (1, ME, text()),
    ]
    assert list_policies(database) == (second,)
    assert second.policy and second.policy.name == "Production"
    entries = list(read_entries(database, OTHER))
    assert [entry.fields["what"] for entry in entries] == ["saved retention policy"]
    assert verify(database).fault == ""


def test_a_save_over_a_newer_version_is_refused(database: Engine) -> None:
    first = create_policy(database, ME, text())
    save_policy(database, OTHER, first, text(days=60))
    for late in (lambda: save_policy(database, ME, first, text(days=7)), lambda: delete_policy(database, ME, first)):
        with pytest.raises(ServiceError, match="another version") as refused:
            late()
        assert refused.value.code == "ChangedMeanwhile"
    assert [one.version for one in list_versions(database, first.id)] == [2, 1]


def test_a_name_is_that_of_one_policy(database: Engine) -> None:
    first = create_policy(database, ME, text())
    with pytest.raises(ServiceError, match="Another policy is called production"):
        create_policy(database, ME, text("production"))
    second = create_policy(database, ME, text("Builds"))
    with pytest.raises(ServiceError, match="NameTaken"):
        save_policy(database, ME, second, text())
    save_policy(database, ME, first, text("production"))


def test_a_text_that_is_no_policy_is_not_saved(database: Engine) -> None:
    with pytest.raises(ServiceError, match="Line 1, column 1"):
        create_policy(database, ME, "name: x")
    assert list_policies(database) == ()


def test_a_deleted_policy_is_not_listed_and_its_versions_are_kept(database: Engine) -> None:
    first = create_policy(database, ME, text())
    delete_policy(database, ME, first)
    assert (list_policies(database), list_versions(database, first.id)) == ((), ())
    with reading(database, "x") as db:
        assert len(db.execute(select(policy_versions)).all()) == 1
    with pytest.raises(ServiceError, match="deleted"):
        save_policy(database, ME, first, text())
    create_policy(database, ME, text())
