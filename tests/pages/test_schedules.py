"""A schedule of a policy on its page: saved, run by the worker, approved, declined, and what can't be."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
import streamlit as st
from sqlalchemy import update
from streamlit.testing.v1 import AppTest

from sandbox.clusters.clusters import CLUSTER_TYPE
from services.connection.errors import ServiceError
from services.connection.write_permission import WritePermission
from services.database.tables import policy_versions, schedules
from services.jobs.audit import BEGAN, read_entries
from services.policies.store import list_versions, save_policy
from services.schedules import planning
from services.schedules.decisions import decline_run
from services.schedules.runs import RunState, ScheduledRun, list_runs, read_parts
from services.schedules.schedule import ScheduleSpec, Timing
from services.schedules.store import find_schedule, save_schedule
from tests.pages.test_policies import POLICY, push, said, saved
from tests.support.app_test import Open, button, confirm_button, figures, open_dialog, reopen
from tests.support.cluster_answers import answer_clusters, forget_answers
from tests.support.own_sandbox import REGISTRY, OwnSandbox
from ui.elements import write_permission
from ui.jobs import runs
from ui.loaders import images
from ui.runtime import connection
from ui.runtime.database import database
from ui.schedules import proposal, worker


def work() -> int:
    return worker.work_once(threading.Event())


def scheduled(own: OwnSandbox, text: str = POLICY, proposals: int = 1) -> str:
    """A policy with a schedule on casaacr01, run by the console of the test."""
    connection.use(own.session())
    policy = saved(text)
    spec = ScheduleSpec((own.registry().id,), Timing(3), proposals)
    save_schedule(database(), connection.own_who(), policy, spec, connection.own_who())
    answer_clusters(own)
    return policy


def request(open_view: Open, policy: str) -> ScheduledRun:
    """The run that a person asked for, as the worker left it."""
    at = open_view("policies.py", policy=policy, show="Schedule")
    button(at, "Propose now").click().run()
    assert "A run was requested." in said(at)
    assert work() == 1
    return list_runs(database(), policy)[0]


def test_a_run_of_a_policy_that_is_not_understood_fails_with_the_reason(open_view: Open, own: OwnSandbox) -> None:
    policy = scheduled(own)
    at = open_view("policies.py", policy=policy, show="Schedule")
    button(at, "Propose now").click().run()
    with database().begin() as db:
        db.execute(update(policy_versions).values(text="name: x"))
    assert work() == 1
    (run,) = list_runs(database(), policy)
    assert run.state is RunState.FAILED
    assert "does not understand the policy. Line 1, column 1: The policy needs the key rules." in run.error


def run_due(policy: str) -> ScheduledRun:
    """The run of a time that is due, as the worker left it."""
    with database().begin() as db:
        db.execute(update(schedules).values(due=datetime.now(UTC) - timedelta(milliseconds=10)))
    assert work() == 1
    return list_runs(database(), policy)[0]


def wait(run: ScheduledRun) -> ScheduledRun:
    now = next(one for one in list_runs(database(), run.policy) if one.id == run.id)
    for one in now.jobs:
        reading = runs.under_way(connection.who(), one.job)
        assert reading and reading.finished.wait(30)
    return next(one for one in list_runs(database(), run.policy) if one.id == run.id)


def approve(open_view: Open, policy: str, run: ScheduledRun, manifests: str = "1 manifest") -> AppTest:
    at = open_view("policies.py", policy=policy, show="Schedule", proposal=run.id)
    next(field for field in at.text_input if "confirm" in field.label).set_value(manifests).run()
    confirm_button(at, f"Approve and delete {manifests}").click().run()
    return at


def test_a_schedule_is_saved_in_its_dialog(open_view: Open, own: OwnSandbox) -> None:
    policy = saved()
    at = open_dialog(open_view("policies.py", policy=policy, show="Schedule"), "Schedule policy")
    # It is the only one that the policy is for.
    assert next(one for one in at.multiselect if one.label == "Registries").value == [own.registry().id]
    next(one for one in at.selectbox if one.label == "Day").set_value("Sunday")
    reopen(at, "Schedule policy")
    at.run()
    reopen(at, "Schedule policy")
    confirm_button(at, "Save schedule").click().run()
    assert "Pull requests is scheduled: Sundays at 03:00 UTC." in said(at)
    found = find_schedule(database(), policy)
    assert found
    assert found.spec == ScheduleSpec((own.registry().id,), Timing(3, 6), 3)
    assert found.runs_as == connection.who()
    at = open_view("policies.py", policy=policy, show="Schedule")
    assert figures(at)["Runs by itself"] == ("0 of 1", "1 registry, each after 3 approved runs")


def test_the_list_of_policies_says_when_each_runs(open_view: Open, own: OwnSandbox) -> None:
    scheduled(own)
    table = open_view("policies.py").dataframe[0].value
    assert list(table["Schedule"]) == ["Every day at 03:00 UTC"]


def test_a_run_proposes_is_approved_and_then_runs_by_itself(open_view: Open, own: OwnSandbox) -> None:
    push(own)
    policy = scheduled(own)
    run = request(open_view, policy)
    assert run.state is RunState.PROPOSED
    assert run.figures and (run.figures.manifests, run.figures.tags) == (1, 1)
    before = {one.digest for one in own.sandbox.store.list_manifests(REGISTRY, "team/app")}
    at = open_view("policies.py", policy=policy, show="Schedule")
    assert figures(at)["Waiting for approval"][0] == "1"
    at = open_view("policies.py", policy=policy, show="Schedule", proposal=run.id)
    assert not at.exception
    assert "Nothing has changed since it was proposed." in said(at)
    at = approve(open_view, policy, run)
    assert "1 deletion started" in said(at)
    done = wait(run)
    assert (done.state, done.progress, done.done) == (RunState.APPROVED, "Completed", True)
    left = {one.digest for one in own.sandbox.store.list_manifests(REGISTRY, "team/app")}
    assert len(before - left) == 1
    # One was approved and done, which is what the schedule asks for.
    own.push("pr-3", number=7)
    # Also then nobody's click deletes: a run that is requested proposes.
    assert request(open_view, policy).state is RunState.PROPOSED
    again = wait(run_due(policy))
    assert (again.state, again.progress) == (RunState.STARTED, "Completed")
    assert set(own.tags()) == {"pr-3", "v9"}
    by = {"approved": done, "nobody": again}
    shown = {who: said(open_view("deletions.py", record=one.jobs[0].job)) for who, one in by.items()}
    assert "Proposed by the schedule and approved by" in shown["approved"]
    assert "Approved by nobody: the schedule started it by itself" in shown["nobody"]
    assert [
        one.fields["policy"]["version"] for one in read_entries(database(), None) if one.fields["what"] == BEGAN
    ] == [
        1,
        1,
    ]
    at = open_view("policies.py", policy=policy, show="Schedule")
    assert list(next(one.value for one in at.dataframe if "State" in one.value.columns)["State"]) == [
        "Started by the schedule: Completed",
        "Replaced by a newer one",
        "Approved: Completed",
    ]
    assert figures(at)["Runs by itself"][0] == "1 of 1"
    what = [one.fields["what"] for one in read_entries(database(), None)]
    for entry in ("proposed scheduled run", "approved scheduled run", "started scheduled run"):
        assert entry in what


def test_who_may_read_a_part_approves_that_part_alone(open_view: Open, own: OwnSandbox) -> None:
    push(own)
    for number, tag in ((5, "pr-5"), (6, "pr-6"), (7, "v9")):
        own.push(tag, number=number, repository="team/secret")
    policy = scheduled(own)
    run = request(open_view, policy)
    assert run.figures and run.figures.repositories == 2
    own.break_(*({"path": f"/acr/v1/team/secret{rest}", "status": 403} for rest in ("", "/_manifests", "/_tags")))
    st.cache_resource.clear()
    connection.use(own.session())
    at = open_view("policies.py", policy=policy, show="Schedule", proposal=run.id)
    assert "1 repository of the proposal could not be read by you, or is gone" in said(at)
    assert "Nothing has changed" not in said(at) and "deleted already" not in said(at)
    # What the console's identity found there is not shown.
    assert not [one for one in at.expander if "Changed since" in one.label]
    approve(open_view, policy, run)
    done = wait(run)
    assert (done.progress, done.done) == ("Completed", False)
    assert "it does not count" in said(open_view("policies.py", policy=policy, show="Schedule", proposal=run.id))
    own.break_()
    st.cache_resource.clear()
    connection.use(own.session())
    assert run_due(policy).state is RunState.PROPOSED
    assert set(own.tags("team/secret")) == {"pr-5", "pr-6", "v9"}


def test_who_does_not_see_the_registry_declines_nothing(
    open_view: Open, own: OwnSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(own)
    policy = scheduled(own)
    run = request(open_view, policy)
    monkeypatch.setattr(proposal, "sees", lambda *_: False)
    at = open_view("policies.py", policy=policy, show="Schedule", proposal=run.id)
    assert "You don't see this registry in Azure" in said(at)
    assert "Decline proposal" not in [one.label for one in at.button]


def test_tags_and_digests_are_for_whoever_may_read_the_repository(
    open_view: Open, own: OwnSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(own)
    policy = scheduled(own)
    run = request(open_view, policy)
    decline_run(database(), "me", run, "not now")
    monkeypatch.setattr(connection, "is_shared", lambda: False)
    monkeypatch.setattr(connection, "has_sign_in", lambda: True)

    def shown() -> AppTest:
        (part,) = read_parts(database(), run.id)
        monkeypatch.setattr(proposal, "openable", lambda *_args, **_more: part)
        return open_view("policies.py", policy=policy, show="Schedule", proposal=run.id)

    def lists_manifests(at: AppTest) -> bool:
        return any("Manifest" in one.value.columns for one in at.dataframe)

    assert lists_manifests(shown())
    own.break_({"path": "/acr/v1/team/app/_tags", "status": 403})
    images.newest_tags.clear()
    at = shown()
    assert not lists_manifests(at)
    assert "team/app" in said(at) and "403" in said(at), said(at)


def test_overview_says_what_waits_for_approval(open_view: Open, own: OwnSandbox) -> None:
    push(own)
    policy = scheduled(own)
    run = request(open_view, policy)
    at = open_view("overview.py")
    assert not at.exception
    links = [one for one in at.get("page_link") if "waits for approval" in one.proto.label]
    assert [(one.proto.label.replace("\\", ""), "policy=" + policy in one.proto.query_string) for one in links] == [
        ("**Clean-up waits for approval** · Pull requests, casaacr01", True)
    ]
    decline_run(database(), "me", run, "not now")
    at = open_view("overview.py")
    assert not [one for one in at.get("page_link") if "waits for approval" in one.proto.label]


def test_what_changed_since_the_proposal_is_shown(open_view: Open, own: OwnSandbox) -> None:
    push(own)
    policy = scheduled(own)
    run = request(open_view, policy)
    own.push("pr-3", number=7)
    own.lock_tag("pr-1", delete=False)
    at = open_view("policies.py", policy=policy, show="Schedule", proposal=run.id)
    assert [one.label for one in at.expander if "Changed since" in one.label] == [
        "Changed since: 1 more, 1 no longer deleted"
    ]
    changes = next(one.value for one in at.dataframe if "Now" in one.value.columns)
    assert list(changes["Now"]) == ["Deleted too", "Stays: pr-1: Locked against deletion."]


def test_a_proposal_is_declined_with_a_reason(open_view: Open, own: OwnSandbox) -> None:
    push(own)
    policy = scheduled(own)
    run = request(open_view, policy)
    at = open_dialog(open_view("policies.py", policy=policy, show="Schedule", proposal=run.id), "Decline proposal")
    assert confirm_button(at, "Decline proposal").disabled
    next(field for field in at.text_input if field.label == "Reason").set_value("Release *week*")
    reopen(at, "Decline proposal")
    at.run()
    reopen(at, "Decline proposal")
    confirm_button(at, "Decline proposal").click().run()
    (now,) = list_runs(database(), policy)
    assert (now.state, now.reason) == (RunState.DECLINED, "Release *week*")
    at = open_view("policies.py", policy=policy, show="Schedule", proposal=run.id)
    assert "Declined" in said(at) and "Release *week*" in said(at)
    assert set(own.tags()) == {"pr-1", "pr-2", "v9"}


def test_a_proposal_of_an_older_version_can_only_be_declined(open_view: Open, own: OwnSandbox) -> None:
    push(own)
    policy = scheduled(own)
    run = request(open_view, policy)
    save_policy(database(), "me", list_versions(database(), policy)[0], POLICY.replace("at_least: 1", "at_least: 0"))
    at = open_view("policies.py", policy=policy, show="Schedule", proposal=run.id)
    assert "It was planned with version 1 of the policy, which has version 2 now." in said(at)
    assert not [one for one in at.button if one.label.startswith("Approve ")]
    assert not button(at, "Decline proposal").disabled


def test_a_registry_that_the_policy_is_not_for_any_more_is_not_planned(
    open_view: Open, own: OwnSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(own)
    policy = scheduled(own)
    elsewhere = POLICY.replace("rules:", "registries: testonly*\nrules:")
    save_policy(database(), "me", list_versions(database(), policy)[0], elsewhere)
    run = request(open_view, policy)
    assert run.state is RunState.FAILED
    assert "The policy is not for this registry any more." in run.error
    # One that was proposed all the same can't be approved.
    with monkeypatch.context() as patch:
        patch.setattr(planning, "matches", lambda *_: True)
        run = request(open_view, policy)
    assert run.state is RunState.PROPOSED
    at = open_view("policies.py", policy=policy, show="Schedule", proposal=run.id)
    assert "The policy is not for this registry any more." in said(at)
    assert not [one for one in at.button if one.label.startswith("Approve ")]


def test_what_could_not_be_read_is_an_error_and_never_nothing_to_delete(open_view: Open, own: OwnSandbox) -> None:
    push(own)
    policy = scheduled(own)
    own.break_({"method": "GET", "path": "/acr/v1/_catalog", "status": 403}, {"path": "/v2/_catalog", "status": 403})
    run = request(open_view, policy)
    assert run.state is RunState.FAILED
    assert run.figures is None
    at = open_view("policies.py", policy=policy, show="Schedule", proposal=run.id)
    assert "Nothing is known of what the policy would delete." in said(at)
    assert at.error and "Nothing to delete" not in said(at)


def test_a_registry_that_is_gone_is_an_error(open_view: Open, own: OwnSandbox) -> None:
    policy = scheduled(own)
    own.sandbox.store.delete_resource(own.registry().id)
    run = request(open_view, policy)
    assert run.state is RunState.FAILED
    assert run.error


def test_repositories_that_can_not_be_read_are_not_nothing(open_view: Open, own: OwnSandbox) -> None:
    own.push("v1", number=3)
    own.push("v1", number=4, repository="team/web")
    policy = scheduled(own)
    own.break_({"method": "GET", "path": "/acr/v1/team/web/_manifests", "status": 403})
    run = request(open_view, policy)
    assert run.state is RunState.BLOCKED
    assert run.figures and run.figures.unread
    at = open_view("policies.py", policy=policy, show="Schedule")
    table = next(one.value for one in at.dataframe if "State" in one.value.columns)
    assert list(table["State"]) == ["Blocked"]
    assert table["Manifests"].isna().all()


def test_above_the_ceiling_a_run_waits_whatever_was_approved(open_view: Open, own: OwnSandbox) -> None:
    push(own)
    policy = scheduled(own)
    approve(open_view, policy, run := request(open_view, policy))
    assert wait(run).done
    save_policy(
        database(),
        "me",
        list_versions(database(), policy)[0],
        POLICY.replace("rules:", "ask_again_above: {share_percent: 1}\nrules:"),
    )
    own.push("pr-3", number=7)
    again = run_due(policy)
    assert again.state is RunState.PROPOSED
    assert again.figures and again.figures.above


def test_a_worker_that_is_stopped_leaves_the_run_to_another(
    open_view: Open, own: OwnSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(own)
    policy = scheduled(own)
    at = open_view("policies.py", policy=policy, show="Schedule")
    button(at, "Propose now").click().run()
    ending = threading.Event()

    def stopped(*_args: object, stop: threading.Event, **_more: object) -> None:
        ending.set()
        stop.set()
        raise ServiceError("Stopped", "It was stopped.", "", "Stopped")

    with monkeypatch.context() as patch:
        patch.setattr(worker, "plan_scheduled_run", stopped)
        worker.work_once(ending)
    assert [one.state for one in list_runs(database(), policy)] == [RunState.QUEUED]
    assert work() == 1
    assert [one.state for one in list_runs(database(), policy)] == [RunState.PROPOSED]


@pytest.mark.usefixtures("own")
def test_without_an_identity_of_its_own_the_console_says_so(open_view: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = saved()
    monkeypatch.setattr(connection, "has_own_identity", lambda: False)
    at = open_view("policies.py", policy=policy, show="Schedule")
    assert "it has no identity of its own to run a schedule" in said(at)
    assert "Schedule policy" not in [one.label for one in at.button]
    assert work() == 0


def test_whoever_may_change_nothing_schedules_and_approves_nothing(
    open_view: Open, own: OwnSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(own)
    policy = scheduled(own)
    run = request(open_view, policy)
    monkeypatch.setattr(write_permission, "current", lambda: WritePermission("Not from here."))
    at = open_view("policies.py", policy=policy, show="Schedule")
    assert button(at, "Propose now").disabled
    at = open_view("policies.py", policy=policy, show="Schedule", proposal=run.id)
    assert button(at, "Decline proposal").disabled
    assert confirm_button(at, "Approve and delete 1 manifest").disabled


def test_a_policy_that_is_not_saved_has_no_schedule(open_view: Open, own: OwnSandbox) -> None:
    del own
    assert "Save the policy first." in said(open_view("policies.py", policy="new", show="Schedule"))
    assert "No such run" in said(open_view("policies.py", policy=saved(), show="Schedule", proposal="x"))


def test_a_cluster_without_a_role_may_pull_by_a_secret_and_is_asked(open_view: Open, own: OwnSandbox) -> None:
    push(own)
    policy = scheduled(own)
    run = request(open_view, policy)
    approve(open_view, policy, run)
    assert wait(run).done
    own.push("pr-3", number=7)
    (cluster,) = own.sandbox.store.list_resources(CLUSTER_TYPE)
    web = {"kind": "Deployment", "namespace": "shop", "name": "web", "registry": REGISTRY, "image": "team/app:pr-2"}
    cluster["_sandbox"] = {"workloads": [web | {"replicas": 2}]}
    own.sandbox.store.put_resource(cluster)
    forget_answers()
    unknown = request(open_view, policy)
    assert unknown.state is RunState.PROPOSED
    assert unknown.figures and unknown.figures.unasked == ("aks1 (not asked)",)
    assert "pr-2" in own.tags()
    spec = ScheduleSpec((own.registry().id,), Timing(3), 1, asks_clusters=True)
    save_schedule(database(), connection.own_who(), policy, spec, connection.own_who())
    asked = request(open_view, policy)
    assert asked.figures and (asked.figures.unasked, asked.figures.manifests) == ((), 0)
    assert "pr-2" in own.tags()
