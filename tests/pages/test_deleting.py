"""Deleting in the console: the plan, the typed name, the deed, and the fate of each item."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.errors import AppTestError

from sandbox.storage.store import Locks
from services.connection.session import AzureSession
from services.database.engine import read_clock
from services.deletion.plan import plan_deletion
from services.deletion.records import RecordedItem
from services.images.repository_contents import read_contents
from services.jobs.audit import read_entries
from tests.support.app_test import REFUSED, Open, button, confirm_button, figures, texts
from tests.support.old_record_files import write_old_record
from tests.support.own_sandbox import OwnSandbox, keep_deleted
from ui.deletion import deletions
from ui.deletion import plan as deletion_plan
from ui.elements import write_permission
from ui.elements.text import plain, short
from ui.jobs import runs
from ui.loaders import contents as contents_loader
from ui.loaders import registries as registry_loaders
from ui.runtime import connection
from ui.runtime.database import database

REGISTRY, NODE = "casaacr01", "nodejstemplate"
URL = {"registry": REGISTRY, "repository": NODE}

pytestmark = pytest.mark.usefixtures("own")


def digests(own: OwnSandbox) -> list[str]:
    return [manifest.digest for manifest in own.sandbox.store.list_manifests(REGISTRY, NODE)]


def top(own: OwnSandbox) -> str:
    tag = own.sandbox.store.get_tag(REGISTRY, NODE, "v1.0.0")
    assert tag
    return tag.digest


def said(at: AppTest) -> str:
    return texts(at) + "\n".join(str(element.value) for element in (*at.warning, *at.success))


def finished(open_view: Open, session: AzureSession, at: AppTest) -> AppTest:
    """The page of the deletion that was begun, once it has ended."""
    assert not at.exception
    record = at.query_params["record"]
    job = runs.under_way(connection.who(), record)
    assert job and job.finished.wait(30)
    return open_view("deletions.py", session, record=record)


@pytest.mark.parametrize("days", [0, 14, None])
@pytest.mark.parametrize("reference", ["v1.0.0", ""])
def test_what_soft_delete_keeps_is_never_said_to_be_freed_now(
    open_view: Open, own: OwnSandbox, days: int | None, reference: str
) -> None:
    if days:
        keep_deleted(own, days)
    if days is None:
        own.break_({"path": f"/registries/{REGISTRY}$", "query": "preview", "status": 403})
    at = open_view("delete.py", **URL, **({"reference": reference} if reference else {}))
    shown = texts(at) + "".join(info.value for info in at.info)
    assert not at.exception
    beside = {0: "shared layers stay", 14: "after 14 days", None: "when is unknown"}[days]
    assert figures(at)["Frees"][1] == beside
    assert ("stays billed, and can be restored, until it expires after 14 days" in shown) is (days == 14)
    assert ("Whether soft delete is on is unknown" in shown) is (days is None)


def test_an_image_goes_with_its_platforms_once_the_name_is_typed(
    open_view: Open, own: OwnSandbox, session: AzureSession
) -> None:
    at = open_view("delete.py", **URL, reference="v1.0.0")
    assert not at.exception
    plan = at.dataframe[0].value
    assert list(plan["Deleted because"]) == ["Chosen", *[f"Part of {short(top(own))}"] * 2]
    assert all(pushed.year == 2025 for pushed in plan["Pushed"])
    assert "it is deleted with its last manifest" in said(at)
    with pytest.raises(AppTestError, match="disabled"):
        button(at, "Delete 3 manifests").click().run()
    at.text_input[0].set_value("nodejstemplat").run()
    with pytest.raises(AppTestError, match="disabled"):
        button(at, "Delete 3 manifests").click().run()
    assert len(digests(own)) == 3
    at.text_input[0].set_value(NODE).run()
    button(at, "Delete 3 manifests").click().run()
    at = finished(open_view, session, at)
    assert not at.exception
    assert list(at.dataframe[0].value["Outcome"]) == ["deleted"] * 3
    printed = next(json.loads(code.value) for code in at.code if "manifestsDeleted" in code.value)
    assert (len(printed["manifestsDeleted"]), printed["tagsDeleted"]) == (3, ["v1.0.0"])
    assert "Repository nodejstemplate: deleted and verified." in said(at).replace("\\", "")
    assert own.sandbox.store.list_repositories(REGISTRY) == []
    assert "3 requests to Azure, with ids" in [expander.label for expander in at.expander]
    ids = list(at.dataframe[1].value["Correlation id"])
    (ended,) = (one.fields for one in read_entries(database(), connection.who()) if one.fields["what"] == "ended")
    assert ended["request_ids"] == ids and len(set(ids)) == 3


def test_a_platform_of_an_index_in_use_is_shown_to_break_it(open_view: Open, own: OwnSandbox) -> None:
    platform = next(digest for digest in digests(own) if digest != top(own))
    at = open_view("delete.py", **URL, reference=platform)
    assert any("1 index stays and can't be pulled completely any more" in warning.value for warning in at.warning)


def test_what_is_said_to_run_stays(open_view: Open, own: OwnSandbox) -> None:
    at = open_view("delete.py", **URL, reference="v1.0.0")
    server = own.sandbox.ready["registries"][REGISTRY]
    at.text_area[0].set_value(f"{server}/{NODE}:v1.0.0").run()
    assert "1 digest found, 1 of them in this repository." in said(at)
    assert {"running in a cluster"} == set(at.dataframe[0].value["Stays"])
    assert "It runs in a cluster." in set(at.dataframe[0].value["Reason"])
    assert button(at, "Delete manifests").disabled


def test_a_repository_goes_as_in_the_guide(open_view: Open, own: OwnSandbox, session: AzureSession) -> None:
    expected = sorted(digests(own))
    at = open_view("delete.py", **URL)
    assert figures(at)["Manifests to delete"] == ("3", "with 1 tag")
    assert [list(tags) for tags in at.dataframe[0].value["Tags"]] == [["v1.0.0"], [], []]
    at.text_input[0].set_value(NODE).run()
    confirm_button(at, "Delete repository").click().run()
    at = finished(open_view, session, at)
    printed = next(json.loads(code.value) for code in at.code if "manifestsDeleted" in code.value)
    assert printed == {"manifestsDeleted": expected, "tagsDeleted": ["v1.0.0"]}
    assert own.sandbox.store.list_repositories(REGISTRY) == []


def test_a_lock_keeps_a_repository_and_is_named(open_view: Open, own: OwnSandbox) -> None:
    own.sandbox.store.set_tag_locks(REGISTRY, NODE, "v1.0.0", Locks(delete=False), own.sandbox.state.stamp())
    at = open_view("delete.py", **URL)
    assert "The tag v1.0.0 is locked against deletion: unlock it first." in said(at).replace("\\", "")
    at.text_input[0].set_value(NODE).run()
    assert confirm_button(at, "Delete repository").disabled
    assert "1 manifest keeps the repository: 1 locked" in [one.label for one in at.expander]
    at = open_view("delete.py", **URL, reference="v1.0.0")
    assert "The tag v1.0.0 is locked against deletion: unlock it first." in set(at.dataframe[0].value["Reason"])
    assert "3 manifests stay: 1 locked, 2 needed by an index that stays" in [one.label for one in at.expander]


def test_what_changed_before_the_click_is_told_and_stays(
    open_view: Open, own: OwnSandbox, session: AzureSession
) -> None:
    at = open_view("delete.py", **URL)
    at.text_input[0].set_value(NODE).run()
    own.sandbox.store.add_tag(REGISTRY, NODE, "v2", top(own), own.sandbox.state.stamp())
    confirm_button(at, "Delete repository").click().run()
    at = finished(open_view, session, at)
    assert "tags have come or moved: v2" in said(at)
    assert len(digests(own)) == 3


def add_tags(own: OwnSandbox, *names: str) -> None:
    for name in names:
        own.sandbox.store.add_tag(REGISTRY, NODE, name, top(own), own.sandbox.state.stamp())


def test_tags_are_removed_by_name_and_what_is_left_is_listed(
    open_view: Open, own: OwnSandbox, session: AzureSession
) -> None:
    add_tags(own, "v1.0.1", "v1.0.2")
    at = open_view("clean_up.py", **URL, how="By name", do="Remove tags only")
    at.multiselect[0].set_value(["v1.0.1", "v1.0.2"]).run()
    assert figures(at)["Tags to remove"] == ("2", "of 3 tags")
    assert "1 tag stays: 1 not chosen" in [one.label for one in at.expander]
    next(field for field in at.text_input if "confirm" in field.label).set_value(NODE).run()
    button(at, "Remove 2 tags").click().run()
    at = finished(open_view, session, at)
    assert list(at.dataframe[0].value["Outcome"]) == ["deleted", "deleted"]
    assert '[\n  "v1.0.0"\n]' in [code.value for code in at.code]
    assert [tag.name for tag in own.sandbox.store.list_tags(REGISTRY, NODE)] == ["v1.0.0"]


def test_what_became_untagged_is_told(open_view: Open, own: OwnSandbox, session: AzureSession) -> None:
    at = open_view("clean_up.py", **URL, how="By name", do="Remove tags only")
    at.multiselect[0].set_value(["v1.0.0"]).run()
    assert figures(at)["Left untagged"][0] == "1"
    button(at, "Remove 1 tag").click().run()
    at = finished(open_view, session, at)
    assert "Now untagged: 1 manifest" in said(at)
    assert len(digests(own)) == 3


def test_a_rule_chooses_and_an_image_with_another_tag_stays(open_view: Open, own: OwnSandbox) -> None:
    add_tags(own, "pr-1")
    at = open_view("clean_up.py", **URL, tags="pr-*", days="0")
    assert figures(at)["Manifests to delete"][0] == "0"
    assert "3 manifests stay: 1 with another tag, 2 not chosen" in [one.label for one in at.expander]
    assert "Its tag v1.0.0 was not chosen." in set(at.dataframe[0].value["Reason"])
    at = open_view("clean_up.py", **URL, tags="*", days="0")
    assert figures(at)["Manifests to delete"] == ("3", "with 2 tags")


AHEAD = timedelta(days=400)


@pytest.mark.parametrize("put_right", [False, True])
@pytest.mark.parametrize(
    ("what", "url", "label"),
    [
        ("Delete images", URL, "Delete 1 manifest"),
        ("Remove tags only", URL, "Remove 1 tag"),
        ("Delete images", URL | {"repository": [NODE, "team/app"]}, "Delete 2 manifests"),
    ],
)
def test_by_a_wrong_clock_a_rule_deletes_nothing(
    open_view: Open, own: OwnSandbox, monkeypatch: pytest.MonkeyPatch, what: str, url: dict[str, Any], label: str,
    put_right: bool,
) -> None:  # fmt: skip
    own.push("pr-1", repository=NODE)
    own.push("pr-1", repository="team/app")
    monkeypatch.setattr(deletion_plan, "read_clock", lambda _engine: datetime.now(UTC) + AHEAD)
    at = open_view("clean_up.py", **url, tags="pr-*", days="300", keep="0", do=what)
    for field in at.text_input:
        if "confirm" in field.label:
            field.set_value(field.placeholder).run()
    if put_right:
        monkeypatch.setattr(deletion_plan, "read_clock", read_clock)
    confirm_button(at, label).click().run()
    assert ("The plan is of" if put_right else "The console's clock says") in said(at)
    assert not deletions.all_recorded(connection.who()).values


def test_nothing_chosen_is_said(open_view: Open) -> None:
    assert "Type a tag pattern above" in said(open_view("clean_up.py", **URL))
    assert "No tag matches all of the above" in said(open_view("clean_up.py", **URL, tags="no-*"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("days", value) for value in ("36501", "99999999999999", "abc", "-1")),
        *(("keep", value) for value in ("10001", "abc", "-5")),
        ("platform", "mars/x"),
    ],
)
def test_a_part_of_a_rule_that_cannot_be_used_makes_no_wider_rule(open_view: Open, name: str, value: str) -> None:
    rule = {"tags": "*", "days": "0"} | {name: value}
    at = open_view("clean_up.py", **URL, **rule)
    for _ in range(2):
        assert "Manifests to delete" not in figures(at)
        assert "which does not exist" in "".join(one.value for one in at.warning)
        at.run()
    button(at, "Ignore it").click()
    assert "which does not exist" not in "".join(one.value for one in at.run().warning)


def test_a_deletion_that_was_cut_off_shows_each_items_fate(open_view: Open, own: OwnSandbox, tmp_path: Path) -> None:
    at = open_view()
    server, who = own.sandbox.ready["registries"][REGISTRY], connection.who()
    gone = "sha256:" + "0" * 64
    first, *_ = digests(own)
    items = [RecordedItem(gone, gone, ("old",)), RecordedItem(first, first), RecordedItem("sha256:" + "1" * 64, "x")]
    recording = write_old_record(tmp_path / "console", who, "delete manifests", server, NODE, items[:2])
    recording.add_result(gone, "deleted")
    at = open_view("deletions.py", record=recording.id)
    assert not at.exception
    assert "Interrupted: the result of 1 item is not recorded." in said(at)
    assert list(at.dataframe[0].value["Outcome"]) == ["still there", "deleted"]
    at = open_view("deletions.py")
    assert list(at.dataframe[0].value["State"]) == ["Interrupted"]


def test_a_stopped_deletion_says_what_was_not_tried(open_view: Open, own: OwnSandbox, tmp_path: Path) -> None:
    open_view()
    first, *_ = digests(own)
    recording = write_old_record(
        tmp_path / "console",
        connection.who(),
        "delete manifests",
        own.sandbox.ready["registries"][REGISTRY],
        NODE,
        [RecordedItem(first, first)],
    )
    recording.end()
    at = open_view("deletions.py", record=recording.id)
    assert list(at.dataframe[0].value["Outcome"]) == ["not tried"]
    assert list(open_view("deletions.py").dataframe[0].value["State"]) == ["Stopped"]


def test_a_damaged_record_is_named_and_the_others_are_listed(open_view: Open, own: OwnSandbox, tmp_path: Path) -> None:
    open_view()
    server = own.sandbox.ready["registries"][REGISTRY]
    items, folder = [RecordedItem("v9", "sha256:0")], tmp_path / "console"
    good, bad = (write_old_record(folder, connection.who(), "remove tags", server, NODE, items) for _ in range(2))
    good.end(error="Could not list the manifests: 503")
    (file,) = tmp_path.rglob(f"{bad.id}.jsonl")
    file.write_bytes(b"\x00 damaged")
    at = open_view("deletions.py")
    assert not at.exception
    assert list(at.dataframe[0].value["Target"]) == [f"{REGISTRY}/{NODE}"]
    assert [expander.label for expander in at.expander if expander.label != "Log"] == [
        f"Partial data: 1 record ({plain(file.name)}) could not be read",
    ]
    at = open_view("deletions.py", record=bad.id)
    assert "Its first line, which says what was to be deleted, is damaged." in said(at)
    at = open_view("deletions.py", record=good.id)
    assert "Could not list the manifests: 503" in said(at).replace("\\", "")


def test_a_damaged_record_alone_is_not_called_none(open_view: Open, own: OwnSandbox, tmp_path: Path) -> None:
    open_view()
    server = own.sandbox.ready["registries"][REGISTRY]
    bad = write_old_record(tmp_path / "console", connection.who(), "remove tags", server, NODE, [])
    bad.file.write_bytes(b"\x00 damaged")
    at = open_view("deletions.py")
    assert "No activity" not in said(at)
    assert any(expander.label.startswith("Partial data: 1 record") for expander in at.expander)


def test_records_that_can_not_be_listed_are_not_called_none(
    open_view: Open, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ACR_CONSOLE_DATA", str(tmp_path / "file"))
    at = open_view("deletions.py")
    assert "No activity" not in said(at)
    assert "The console's database could not be opened" in said(at)


def test_the_second_of_two_tabs_says_already_deleted(open_view: Open, own: OwnSandbox, session: AzureSession) -> None:
    at = open_view()
    (contents,) = read_contents(own.client, [NODE], {}).values
    plan = plan_deletion(contents, [top(own)], registry=REGISTRY, by_name=True)
    for _ in range(2):
        at.query_params["record"] = deletions.delete_manifests(connection.who(), own.registry(), plan)
        at = finished(open_view, session, at)
    assert set(at.dataframe[0].value["Outcome"]) == {"already deleted"}
    assert "**3** already deleted" in said(at)
    assert not [code.value for code in at.code if "manifestsDeleted" in code.value]
    assert "deleted and verified" not in said(at)


@pytest.mark.parametrize("script", ["delete.py", "clean_up.py"])
def test_a_name_that_is_markdown_is_shown_as_it_is(open_view: Open, script: str) -> None:
    name = "**bold** <img src=x> ![x](http://x) \u202eabc"
    at = open_view(script, registry=REGISTRY, repository=name)
    assert not at.exception
    assert r"\*\*bold\*\* \<img src\=x\> \!\[x\]\(http\:" + "\u2060//x" + r"\)" in at.title[0].value.replace("\\/", "/")
    assert "Could not list" in said(at)


def test_there_is_nothing_to_see_at_first_and_no_such_record(open_view: Open) -> None:
    assert "No activity" in said(open_view("deletions.py"))
    assert "No such record" in said(open_view("deletions.py", record="../../etc"))


def test_a_console_that_listens_to_everyone_deletes_nothing(
    open_view: Open, own: OwnSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write_permission, "current", lambda: REFUSED)
    at = open_view("delete.py", **URL)
    at.text_input[0].set_value(NODE).run()
    assert "Read-only" in said(at)
    assert confirm_button(at, "Delete repository").disabled
    assert len(digests(own)) == 3


def test_a_record_that_can_not_be_written_begins_nothing(
    open_view: Open, own: OwnSandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ACR_CONSOLE_DATA", str(tmp_path / "file"))
    at = open_view("delete.py", **URL)
    at.text_input[0].set_value(NODE).run()
    confirm_button(at, "Delete repository").click().run()
    assert "NoDatabase" in said(at)
    assert len(digests(own)) == 3


def add_repositories(own: OwnSandbox) -> None:
    own.push("pr-1", "pr-2")
    own.push("pr-1", number=2, repository="team/other")


SEVERAL = {"registry": REGISTRY, "repository": ["team/app", "team/other", NODE]}


def test_several_repositories_are_cleaned_up_by_one_plan(
    open_view: Open, own: OwnSandbox, session: AzureSession
) -> None:
    add_repositories(own)
    at = open_view("clean_up.py", **SEVERAL, tags="pr-*", days="0")
    assert not at.exception
    assert at.title[0].value == "Clean-up of 3 repositories"
    assert figures(at)["Manifests to delete"] == ("2", "with 3 tags in 2 repositories")
    table = at.dataframe[0].value.set_index("Repository")
    assert list(table["Manifests"]) == [1, 1, 0]
    assert table["Stays"][NODE] == "3 not chosen"
    assert {"2 manifests to delete", "3 manifests stay: 3 not chosen"} <= {one.label for one in at.expander}
    assert button(at, "Delete 2 manifests").disabled
    next(field for field in at.text_input if "confirm" in field.label).set_value("2 manifests").run()
    button(at, "Delete 2 manifests").click().run()
    assert at.query_params["target"] == REGISTRY
    assert "2 deletions started in casaacr01" in said(at)
    for job in deletions.all_recorded(connection.who()).values:
        run = runs.under_way(connection.who(), job.id)
        assert run and run.finished.wait(30)
    assert own.sandbox.store.list_repositories(REGISTRY) == [NODE]
    at = open_view("deletions.py", session)
    assert list(at.dataframe[0].value["State"]) == ["Completed"] * 2


def test_several_repositories_are_deleted_without_those_that_a_lock_keeps(open_view: Open, own: OwnSandbox) -> None:
    add_repositories(own)
    own.sandbox.store.set_tag_locks(REGISTRY, NODE, "v1.0.0", Locks(delete=False), own.sandbox.state.stamp())
    at = open_view("delete.py", **SEVERAL)
    assert not at.exception
    assert at.title[0].value == "Delete 3 repositories"
    assert "nodejstemplate stays: The tag v1.0.0 is locked" in said(at).replace("\\", "")
    field = next(field for field in at.text_input if "confirm" in field.label)
    assert field.placeholder == "2 repositories"
    field.set_value("2 repositories").run()
    button(at, "Delete 2 repositories").click().run()
    for job in deletions.all_recorded(connection.who()).values:
        run = runs.under_way(connection.who(), job.id)
        assert run and run.finished.wait(30)
    assert own.sandbox.store.list_repositories(REGISTRY) == [NODE]


def test_a_repository_that_could_not_be_read_is_named_and_stays(open_view: Open, own: OwnSandbox) -> None:
    add_repositories(own)
    own.break_({"path": "/acr/v1/team/other/", "status": 403})
    at = open_view("clean_up.py", **SEVERAL, tags="pr-*", days="0")
    assert not at.exception
    assert any(
        one.label.replace("\\", "").startswith("Partial data: 1 repository (team/other) could not be read")
        for one in at.expander
    )
    assert figures(at)["Manifests to delete"] == ("1", "with 2 tags")
    assert "team/other" not in set(at.dataframe[0].value["Repository"])


@pytest.mark.parametrize(
    ("view", "query", "page"),
    [
        ("delete.py", {**URL, "reference": "v1.0.0"}, "reference"),
        ("delete.py", URL, "repository"),
        ("clean_up.py", {**URL, "tags": "*", "days": "0"}, "repository"),
    ],
)
def test_cancel_leads_back_and_deletes_nothing(
    open_view: Open, own: OwnSandbox, view: str, query: dict[str, str], page: str
) -> None:
    at = open_view(view, **query)
    button(at, "Cancel").click().run()
    assert not at.exception
    assert page in at.query_params
    assert not at.metric or "Manifests to delete" not in figures(at)
    assert len(digests(own)) == 3


def test_a_clean_up_without_a_repository_lists_all_with_the_most_manifests_first(
    open_view: Open, own: OwnSandbox
) -> None:
    add_repositories(own)
    at = open_view("clean_up.py", registry=REGISTRY)
    assert registry_loaders.catalogue(connection.who(), own.sandbox.ready["registries"][REGISTRY]).finished.wait(30)
    at.run()
    assert not at.exception
    assert at.title[0].value == "Clean-up of casaacr01"
    table = at.dataframe[0].value
    assert set(table["Repository"]) == {"team/app", "team/other", NODE}
    assert list(table["Manifests"]) == sorted(table["Manifests"], reverse=True)
    assert not {"Size", "Untagged"} & set(table.columns)
    server = own.sandbox.ready["registries"][REGISTRY]
    assert contents_loader.registry(connection.who(), server).finished.wait(30)
    at.run()
    assert not at.exception
    measured = at.dataframe[0].value
    assert {"Size", "Untagged"} <= {name.partition(" ")[0] for name in measured.columns}
