"""Retention policies: written as text and as a form, saved, simulated, compared and run."""

from datetime import UTC, datetime, timedelta

import pytest
from streamlit.testing.v1 import AppTest

from sandbox.storage.store import Locks
from services.connection.session import AzureSession
from services.connection.write_permission import WritePermission
from services.deletion.job_export import as_html
from services.deletion.last_pulls import PulledNow
from services.jobs.jobs import Job
from services.policies.store import create_policy, list_policies, list_versions
from tests.support.app_test import Open, button, confirm_button, figures, texts
from tests.support.own_sandbox import APP, REGISTRY, OwnSandbox
from ui.deletion import deletions
from ui.deletion import plan as deletion_plan
from ui.elements import write_permission
from ui.jobs import runs
from ui.runtime import connection
from ui.runtime.database import database

POLICY = """\
name: Pull requests
rules:
  - name: releases
    action: keep
    tags: v*
  - name: pull requests
    action: delete
    tags: pr-*
    at_least: 1
    older_than_days: 0
"""


def said(at: AppTest) -> str:
    every = (*at.warning, *at.success, *at.error)
    return "\n".join((texts(at), *(str(one.value) for one in every))).replace("\\", "")


def text_of(at: AppTest) -> str:
    return str(next(area for area in at.text_area if area.label == "YAML").value)


def write(at: AppTest, text: str) -> None:
    next(area for area in at.text_area if area.label == "YAML").set_value(text).run()


def saved(text: str = POLICY) -> str:
    return create_policy(database(), "me", text).id


@pytest.mark.usefixtures("own")
def test_a_policy_from_nothing_to_the_list(open_view: Open) -> None:
    at = open_view("policies.py")
    assert "No retention policies" in said(at)
    button(at, "Create policy").click().run()
    assert not at.exception
    write(at, POLICY)
    assert [one.label.replace("\\", "") for one in at.expander if one.label[:2] in ("1.", "2.")] == [
        "1. **releases** · Keep v*",
        "2. **pull requests** · Delete pr-*: not updated for 0 days; at least 1 stay",
    ]
    at.button(key="save policy").click().run()
    assert "Pull requests saved as version 1" in said(at)
    assert [one.text for one in list_policies(database())] == [POLICY]
    at = open_view("policies.py")
    table = at.dataframe[0].value
    assert list(table["Policy"]) == ["Pull requests"]
    assert list(table["Rules"]) == ["2 rules: 1 keep, 1 delete"]


@pytest.mark.usefixtures("own")
def test_what_is_wrong_with_the_text_is_said_with_its_place_and_not_saved(open_view: Open) -> None:
    at = open_view("policies.py", policy=saved())
    write(at, POLICY.replace("at_least", "atleast"))
    assert "Line 9, column 5: Rule 2 (action delete) has no key atleast. Did you mean at_least?" in said(at)
    assert at.button(key="save policy").disabled
    assert all(one.disabled for one in at.number_input)
    at = open_view("policies.py", policy=saved("name: Other\nrules: [{name: a, action: keep, newest: 1}]"))
    assert not at.error


@pytest.mark.usefixtures("own")
def test_the_form_writes_the_text_and_the_text_fills_the_form(open_view: Open) -> None:
    at = open_view("policies.py", policy=saved())
    next(one for one in at.number_input if one.label == "Keep at least").set_value(4).run()
    assert "at_least: 4" in text_of(at)
    next(one for one in at.text_input if one.label == "Repositories").set_value("team/*, base").run()
    assert "repositories:\n  - team/*\n  - base\n" in text_of(at)
    write(at, POLICY.replace("at_least: 1", "at_least: 7"))
    assert next(one for one in at.number_input if one.label == "Keep at least").value == 7
    next(one for one in at.number_input if one.label == "Keep at most").set_value(2).run()
    assert "It keeps at least 7 and at most 2." in said(at)
    assert not any(one.disabled for one in at.number_input)
    next(one for one in at.number_input if one.label == "Keep at most").set_value(20).run()
    assert not at.error
    at.button(key="save policy").click().run()
    (found,) = list_policies(database())
    assert (found.version, "at_most: 20" in found.text) == (2, True)


@pytest.mark.usefixtures("own")
def test_rules_are_added_moved_and_removed(open_view: Open) -> None:
    at = open_view("policies.py", policy=saved())
    next(menu for menu in at.menu_button if menu.label == "Add rule").click("Delete untagged manifests").run()
    assert text_of(at).rstrip().endswith("action: delete untagged\n  repositories:\n  - '*'\n  older_than_days: 14")
    moves = [menu for menu in at.menu_button if menu.label == "Move or remove"]
    moves[2].click("Move up").run()
    assert text_of(at).index("Untagged") < text_of(at).index("pull requests\n  action")
    moves = [menu for menu in at.menu_button if menu.label == "Move or remove"]
    moves[0].click("Remove rule").run()
    assert "releases" not in text_of(at)
    assert not at.exception


def push(own: OwnSandbox) -> None:
    own.push("pr-1", number=1)
    own.push("pr-2", number=2)
    own.push("v9", number=3)


def test_a_policy_is_simulated_and_run(open_view: Open, own: OwnSandbox) -> None:
    push(own)
    at = open_view("policies.py", policy=saved(), show="Simulation", registry=REGISTRY)
    assert not at.exception
    assert figures(at)["Manifests to delete"][0] == "1"
    rules = next(one.value for one in at.dataframe if "Rule" in one.value.columns).set_index("Rule")
    assert rules.loc["pull requests", "Deletes"] == 1
    assert rules.loc["pull requests", "Stay"] == 1
    field = next(field for field in at.text_input if "confirm" in field.label)
    assert field.placeholder == "1 manifest"
    before = {one.digest for one in own.sandbox.store.list_manifests(REGISTRY, "team/app")}
    field.set_value("1 manifest").run()
    confirm_button(at, "Delete 1 manifest").click().run()
    assert "1 deletion started" in said(at)
    for job in deletions.all_recorded(connection.who()).values:
        run = runs.under_way(connection.who(), job.id)
        assert run and run.finished.wait(30)
    left = {one.digest for one in own.sandbox.store.list_manifests(REGISTRY, "team/app")}
    assert len(before - left) == 1
    assert [tag.name for tag in own.sandbox.store.list_tags(REGISTRY, "team/app")] == ["pr-2", "v9"]
    (job,) = deletions.all_recorded(connection.who()).values
    at = open_view("deletions.py", record=job.id)
    assert "Policy: Pull requests, version 1. Started and approved by" in said(at).replace("*", "")
    assert "Ceiling of a run: 1,000 manifests, 50 % of a repository and 100 GiB. The run was not above it." in said(at)


def test_by_a_wrong_clock_nothing_is_deleted(open_view: Open, own: OwnSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    push(own)
    monkeypatch.setattr(deletion_plan, "read_clock", lambda _engine: datetime.now(UTC) + timedelta(days=400))
    at = open_view("policies.py", policy=saved(), show="Simulation", registry=REGISTRY)
    next(field for field in at.text_input if "confirm" in field.label).set_value("1 manifest").run()
    confirm_button(at, "Delete 1 manifest").click().run()
    assert "The console's clock says" in said(at)
    assert not deletions.all_recorded(connection.who()).values


def test_above_the_ceiling_it_asks_again(open_view: Open, own: OwnSandbox) -> None:
    push(own)
    text = POLICY.replace("rules:", "ask_again_above: {share_percent: 1}\nrules:")
    at = open_view("policies.py", policy=saved(text), show="Simulation", registry=REGISTRY)
    next(field for field in at.text_input if "confirm" in field.label).set_value("1 manifest").run()
    confirm_button(at, "Delete 1 manifest").click().run()
    assert "of the manifests of team/app: more than 1 %." in said(at)
    assert not deletions.all_recorded(connection.who()).values
    # AppTest closes a dialog with each run: both are pressed in one.
    confirm_button(at, "Delete 1 manifest").click()
    confirm_button(at, "Delete 1 manifest anyway").click().run()
    (job,) = deletions.all_recorded(connection.who()).values
    assert "Above the ceiling, and confirmed: It deletes 33 % of the manifests of team/app" in said(
        open_view("deletions.py", record=job.id)
    )


def test_a_policy_that_deletes_everything_is_said(open_view: Open, own: OwnSandbox) -> None:
    push(own)
    text = "name: x\nrules:\n  - {name: all, action: delete, at_most: 0}"
    at = open_view("policies.py", policy=saved(text), show="Simulation", registry=REGISTRY)
    assert "The rule all deletes every image that it matches, however new." in said(at)
    assert "Nothing is left of the repository: it is deleted with its last manifest." in said(at)


def test_pulls_that_are_not_known_keep_what_waits_for_them(open_view: Open, own: OwnSandbox) -> None:
    push(own)
    text = POLICY.replace("older_than_days: 0", "not_pulled_for_days: 90")
    at = open_view("policies.py", policy=saved(text), show="Simulation", registry=REGISTRY)
    assert "So pull requests deletes nothing by its last pull." in said(at)
    assert "Nothing to delete: every manifest stays." in said(at)


NOT_PULLED = "name: x\nrules:\n  - {name: idle, action: delete, tags: v1*, at_least: 0, not_pulled_for_days: 90}"


def logged_for_200_days(own: OwnSandbox) -> str:
    """Events of the registry since so long, none of them a pull of nodejstemplate:v1.0.0, whose digest it returns."""
    own.send_logs(own.make_workspace())
    own.log("Push", 200, "elsewhere")
    own.log("Push", 0.1, "elsewhere")
    found = own.sandbox.store.get_tag(REGISTRY, "nodejstemplate", "v1.0.0")
    assert found
    return found.digest


def test_what_was_not_pulled_goes(open_view: Open, own: OwnSandbox) -> None:
    logged_for_200_days(own)
    at = open_view("policies.py", policy=saved(NOT_PULLED), show="Simulation", registry=REGISTRY)
    assert not at.exception
    assert figures(at)["Manifests to delete"][0] == "3"
    assert "Pulls are logged since" in said(at)


@pytest.mark.parametrize("days", [1, 89])
def test_what_was_pulled_stays(open_view: Open, own: OwnSandbox, days: int) -> None:
    own.log("Pull", days, "nodejstemplate", logged_for_200_days(own), "v1.0.0")
    at = open_view("policies.py", policy=saved(NOT_PULLED), show="Simulation", registry=REGISTRY)
    assert not at.exception
    assert "Nothing to delete: every manifest stays." in said(at)


def test_a_pull_after_the_simulation_stops_the_run(open_view: Open, own: OwnSandbox) -> None:
    digest = logged_for_200_days(own)
    at = open_view("policies.py", policy=saved(NOT_PULLED), show="Simulation", registry=REGISTRY)
    next(field for field in at.text_input if "confirm" in field.label).set_value("3 manifests").run()
    own.log("Pull", 0, "nodejstemplate", digest, "v1.0.0")
    confirm_button(at, "Delete 3 manifests").click().run()
    assert f"Pulled since it was simulated: nodejstemplate@{digest}" in said(at)
    assert not deletions.all_recorded(connection.who()).values


def test_a_pull_after_the_run_was_confirmed_keeps_its_image(
    open_view: Open, own: OwnSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = logged_for_200_days(own)
    text = NOT_PULLED.replace("rules:", "ask_again_above: {share_percent: 100}\nrules:")
    at = open_view("policies.py", policy=saved(text), show="Simulation", registry=REGISTRY)
    next(field for field in at.text_input if "confirm" in field.label).set_value("3 manifests").run()
    look = deletions.pulled_now

    def pulled_then(session: AzureSession, job: Job) -> PulledNow:
        own.log("Pull", 0, "nodejstemplate", digest, "v1.0.0")
        return look(session, job)

    monkeypatch.setattr(deletions, "pulled_now", pulled_then)
    confirm_button(at, "Delete 3 manifests").click().run()
    (job,) = deletions.all_recorded(connection.who()).values
    run = runs.under_way(connection.who(), job.id)
    assert run and run.finished.wait(30)
    record = deletions.recorded(connection.who(), job.id)
    assert record and record.fates[digest].outcome == "refused"
    assert "which the plan did not know" in record.fates[digest].cause
    assert not any(fate.is_deleted for fate in record.fates.values())  # What belongs to it waits for it.
    assert "which the plan did not know" in as_html(runs.find(connection.who(), job.id) or pytest.fail())


def test_logs_that_are_refused_keep_what_waits_for_pulls(open_view: Open, own: OwnSandbox) -> None:
    logged_for_200_days(own)
    own.break_({"method": "POST", "path": "/query$", "status": 403})
    at = open_view("policies.py", policy=saved(NOT_PULLED), show="Simulation", registry=REGISTRY)
    assert "Could not read the logs of casaacr01" in said(at)
    assert "So idle deletes nothing by its last pull." in said(at)
    assert "Nothing to delete: every manifest stays." in said(at)


def test_two_policies_are_compared(open_view: Open, own: OwnSandbox) -> None:
    push(own)
    saved()
    other = saved(POLICY.replace("Pull requests", "Strict").replace("at_least: 1", "at_least: 0"))
    at = open_view("policies.py", policy=other, show="Comparison", registry=REGISTRY)
    assert figures(at)["This policy deletes"][0] == "2"
    assert figures(at)["Pull requests deletes"][0] == "1"
    assert figures(at)["Only this policy"][0] == "1"


@pytest.mark.usefixtures("own")
def test_an_older_version_is_edited_again(open_view: Open) -> None:
    policy = saved()
    at = open_view("policies.py", policy=policy)
    write(at, POLICY.replace("older_than_days: 0", "older_than_days: 9"))
    at.button(key="save policy").click().run()
    assert [one.version for one in list_versions(database(), policy)] == [2, 1]
    at = open_view("policies.py", policy=policy, show="Versions")
    assert list(at.dataframe[0].value["Version"]) == ["2", "1"]


@pytest.mark.usefixtures("own")
def test_whoever_may_change_nothing_reads_only(open_view: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write_permission, "current", lambda: WritePermission("Not from here."))
    at = open_view("policies.py")
    assert button(at, "Create policy").disabled
    at = open_view("policies.py", policy=saved())
    write(at, POLICY.replace("at_least: 1", "at_least: 2"))
    assert at.button(key="save policy").disabled


@pytest.mark.usefixtures("own")
def test_a_policy_that_is_not_there_is_said(open_view: Open) -> None:
    assert "No such policy" in said(open_view("policies.py", policy="0000"))


@pytest.mark.usefixtures("own")
def test_a_policy_is_shown_as_acr_purge_or_why_not(open_view: Open) -> None:
    at = open_view("policies.py", policy=saved(), show="acr purge", registry=REGISTRY)
    assert "pull requests: --keep counts only tags that are old enough" in said(at)
    text = "name: Old\nrules:\n- {name: old, action: delete, at_most: 9}\n"
    text += "- {name: rest, action: delete untagged, older_than_days: 0}"
    at = open_view("policies.py", policy=saved(text), show="acr purge", registry=REGISTRY)
    listed, scheduled = (str(one.value).splitlines() for one in at.code)
    assert [line.rpartition(" --ago ")[2] for line in listed] == [
        "0d --keep 9 --dry-run' /dev/null",
        "0d --untagged --dry-run' /dev/null",
    ]
    assert [line.partition(" --ago ")[0][:20] for line in scheduled if "cmd:" in line] == ["  - cmd: acr purge -"] * 2
    assert scheduled[-1].startswith(
        "' | az acr task create --name retention-old --registry casaacr01 --file - --schedule "
    )
    assert "It does not know what runs" in said(at)


@pytest.mark.usefixtures("own")
def test_where_acr_purge_can_t_do_a_policy_the_nearest_that_it_can_is_shown_with_what_differs(open_view: Open) -> None:
    at = open_view("policies.py", policy="new", show="acr purge", registry=REGISTRY)
    assert not at.exception
    assert "acr purge can't keep the newest of all tags" in said(at)
    assert "Newest tags: it keeps the 5 newest of those tags alone that acr purge would delete" in said(at)
    listed = str(at.code[0].value).splitlines()
    assert [line.rpartition(" --ago ")[2].partition(" --dry-run")[0] for line in listed] == [
        "90d --keep 5",
        "14d --untagged",
    ]


def test_what_keeps_all_that_the_rules_choose_is_said(open_view: Open, own: OwnSandbox) -> None:
    push(own)
    own.sandbox.store.set_repository_locks(REGISTRY, "team/app", Locks(delete=False))
    at = open_view("policies.py", policy=saved(), show="Simulation", registry=REGISTRY)
    assert "Nothing to delete. Chosen by the rules, and kept: 1 locked." in said(at)


@pytest.mark.usefixtures("own")
def test_a_clean_up_s_rule_is_the_start_of_a_policy_and_what_was_typed_is_kept(open_view: Open) -> None:
    start = {"policy": "new", "start": "clean-up", "within": REGISTRY, "of": "team/app", "pattern": "pr-*"}
    at = open_view("policies.py", **start, older_than="14")
    assert text_of(at).splitlines()[:3] == ["name: Clean up team/app", "registries:", f"- {REGISTRY}"]
    assert "  - pr-*" in text_of(at) and "older_than_days: 14" in text_of(at)
    write(at, POLICY)
    at = open_view("policies.py", policy="new", start="unused")
    assert "not_pulled_for_days: 90" in text_of(at)
    at = open_view("policies.py", policy="new", start="clean-up", within=REGISTRY, older_than="many", pattern="pr-*")
    assert text_of(at).startswith("name: New policy")


def test_what_it_would_have_done_in_the_last_months(open_view: Open, own: OwnSandbox) -> None:
    store = own.sandbox.store
    for number, month in enumerate(("2020-01", "2020-02"), 1):
        digest, _raw = own.push(number=number)
        at_then = f"{month}-03T00:00:00.0000000Z"
        store.database.run("UPDATE manifests SET created = ?, updated = ? WHERE digest = ?", at_then, at_then, digest)
        store.add_tag(REGISTRY, APP, f"pr-{number}", digest, at_then)
    at = open_view("policies.py", policy=saved(POLICY), show="Last months", registry=REGISTRY)
    assert figures(at)["Manifests deleted"] == ("1", "in 6 months")
    table = at.dataframe[0].value
    assert list(table["Deleted"]) == [1, 0, 0, 0, 0, 0]
    there = list(table["There"])
    assert there[0] - there[1] == 1
    assert "What was deleted since then is not in it" in said(at)


@pytest.mark.usefixtures("own")
def test_another_registry_is_not_simulated_in_place_of_one_that_may_be_there(open_view: Open, own: OwnSandbox) -> None:
    own.break_({"path": "/subscriptions/[^/]+/providers/Microsoft.ContainerRegistry/registries$", "status": 403})
    at = open_view("policies.py", policy=saved(), show="Simulation", registry=REGISTRY)
    assert "Manifests" not in " ".join(figures(at))
    assert "Unknown" in said(at)


@pytest.mark.usefixtures("own")
def test_the_schema_of_its_yaml_is_offered(open_view: Open) -> None:
    at = open_view("policies.py", policy="new")
    assert "Download JSON schema" in [one.label for one in at.get("download_button")]
