"""What is soft deleted on its page: until when, restored with its platforms, and from the record of a deletion."""

import pytest
from sqlalchemy import delete as delete_rows

from services.database.tables import kept_manifests
from services.deletion.plan import plan_deletion
from services.images.repository_contents import read_contents
from tests.support.app_test import (
    REFUSED,
    Open,
    button,
    confirm_button,
    open_dialog,
    reopen,
    select_rows,
    texts,
    wait_for_job,
)
from tests.support.own_sandbox import APP, REGISTRY, OwnSandbox, keep_deleted
from ui.deletion import deletions
from ui.elements import write_permission
from ui.jobs import runs
from ui.runtime import connection
from ui.runtime.database import database

HERE = {"registry": REGISTRY}

pytestmark = pytest.mark.usefixtures("own")


def delete(own: OwnSandbox, digest: str) -> None:
    own.client.send("DELETE", f"/v2/{APP}/manifests/{digest}")


def bodies(own: OwnSandbox) -> dict[str, bytes | None]:
    store = own.sandbox.store
    return {
        one.digest: store.get_manifest_body(REGISTRY, APP, one.digest) for one in store.list_manifests(REGISTRY, APP)
    }


def test_where_soft_delete_is_off_it_says_so_and_leads_to_the_settings(open_view: Open) -> None:
    at = open_view("deleted.py", **HERE)
    assert "Soft delete is off" in texts(at) and "Nothing to restore" in texts(at)
    assert "Turn on soft delete" in [link.proto.label for link in at.get("page_link")]


def test_a_deleted_tag_is_listed_with_its_time_left_and_restored_with_its_platforms(
    own: OwnSandbox, open_view: Open
) -> None:
    keep_deleted(own, 14)
    index = own.push_index("v1")
    before = bodies(own)
    own.client.send("DELETE", f"/acr/v1/{APP.replace('/', '%2F')}")
    at = open_view("deleted.py", **HERE)
    table = at.dataframe[0].value
    assert list(table["Tag"]) == ["v1"] and list(table["Can be restored"]) == ["13 days left"]
    select_rows(at, 0, 0)
    at.run()
    select_rows(at, 0, 0)
    reopen(at, "Restore")
    at.run()
    assert f"az acr manifest restore --registry {REGISTRY} --name {APP}:v1 --digest {index}" in texts(at)
    select_rows(at, 0, 0)
    reopen(at, "Restore")
    confirm_button(at, "Restore 1 item").click()
    at.run()
    wait_for_job(at, "Restore images")
    at.run()
    assert "restored and verified" in "".join(str(one.value) for one in at.success)
    assert bodies(own) == before and own.tags() == {"v1": index}


def test_a_refused_list_is_not_called_nothing_to_restore(own: OwnSandbox, open_view: Open) -> None:
    keep_deleted(own, 14)
    own.break_({"path": "/_deleted/_catalog", "status": 403})
    at = open_view("deleted.py", **HERE)
    assert "Nothing to restore" not in texts(at) and "registries/deleted/read" in texts(at)


def test_it_is_read_only_where_nothing_may_be_changed(
    own: OwnSandbox, open_view: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_deleted(own, 14)
    digest, _ = own.push("v1")
    delete(own, digest)
    monkeypatch.setattr(write_permission, "current", lambda: REFUSED)
    at = open_view("deleted.py", **HERE)
    select_rows(at, 0, 0)
    at.run()
    assert button(at, "Restore").disabled


def test_what_a_recorded_deletion_deleted_is_restored_from_its_record(own: OwnSandbox, open_view: Open) -> None:
    keep_deleted(own, 14)
    index = own.push_index("v1", "latest")
    other, _ = own.push("other", number=9)
    own.attach(index)
    before, tags = bodies(own), own.tags()
    (contents,) = read_contents(own.client, [APP], {}).values
    open_view("deletions.py")
    who, registry = connection.who(), own.registry()
    record = deletions.delete_manifests(
        who, registry, plan_deletion(contents, [index], registry=REGISTRY, by_name=True)
    )
    reading = runs.under_way(who, record)
    assert reading and reading.finished.wait(30)
    assert set(bodies(own)) == {other}
    at = open_view("deletions.py", record=record)
    assert "Restore what this deletion deleted" in [link.proto.label for link in at.get("page_link")]
    at = open_view("deleted.py", **HERE, repository=APP, record=record)
    open_dialog(at, "Restore all")
    label = next(one.label for one in at.button if one.key and one.key.startswith("do Restore"))
    reopen(at, "Restore all")
    confirm_button(at, label).click()
    at.run()
    wait_for_job(at, "Restore images")
    assert bodies(own) == before and own.tags() == tags


def test_without_soft_delete_an_image_is_brought_back_from_the_record_of_its_deletion(
    own: OwnSandbox, open_view: Open
) -> None:
    shared, alone = own.send_image("v1", title="shares its layers"), own.send_image("v2", config=b'{"its": "own"}')
    own.send_image("stays", title="has the same layers")
    raw = bodies(own)[shared]
    (contents,) = read_contents(own.client, [APP], {}).values
    open_view("deletions.py")
    who, registry = connection.who(), own.registry()
    plan = plan_deletion(contents, [shared, alone], registry=REGISTRY, by_name=True)
    record = deletions.delete_manifests(who, registry, plan)
    reading = runs.under_way(who, record)
    assert reading and reading.finished.wait(30)
    assert set(own.tags()) == {"stays"}
    at = open_view("deletions.py", record=record)
    assert "2 manifests are kept with this record for 30 days" in texts(at)
    open_dialog(at, "Bring back")
    assert "**1 of 2 manifests** can be brought back" in texts(at)
    states = next(one.value["Can be brought back"] for one in at.dataframe if "Can be brought back" in one.value)
    assert sorted(states) == ["The registry has removed 1 of its 2 layers.", "Yes"]
    reopen(at, "Bring back")
    confirm_button(at, "Bring back 1 manifest").click()
    at.run()
    wait_for_job(at, "Bring back images")
    assert bodies(own)[shared] == raw and own.tags()["v1"] == shared and "v2" not in own.tags()


def test_of_a_deletion_that_kept_nothing_it_says_so(own: OwnSandbox, open_view: Open) -> None:
    digest, _ = own.push("v1")
    own.push("stays", number=9)
    (contents,) = read_contents(own.client, [APP], {}).values
    open_view("deletions.py")
    plan = plan_deletion(contents, [digest], registry=REGISTRY, by_name=True)
    record = deletions.delete_manifests(connection.who(), own.registry(), plan)
    reading = runs.under_way(connection.who(), record)
    assert reading and reading.finished.wait(30)
    with database().begin() as db:  # Older than they are kept.
        db.execute(delete_rows(kept_manifests))
    at = open_view("deletions.py", record=record)
    assert "none of its manifests is kept" in texts(at)
    assert "Bring back" not in [one.label for one in at.button]
