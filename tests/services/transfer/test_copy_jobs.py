"""A copy whose process is killed at any point is ended by another as it would have been; nothing is copied twice."""

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from services.connection.errors import ServiceError
from services.database.engine import open_database
from services.jobs.jobs import Job, begin, request_stop, take_over
from services.jobs.running import RunningJob
from services.transfer import copy_jobs, copy_run
from services.transfer.copy_jobs import ACTION, as_details, as_items, copies_of, run_copies
from services.transfer.copy_plan import CopyItem, CopyPlan, Source, parse_source, read_copy_plan
from services.transfer.copy_referrers import Referrer, ReferrerItem
from tests.support.documents import digest_of
from tests.support.dying import Process
from tests.support.killed_jobs import LEASE, WHO, Work, found, killed, lost, no_report, ran
from tests.support.own_sandbox import APP, REGISTRY, OwnSandbox
from tests.support.shell_lines import registry as a_registry
from tests.support.strategies import tag_names

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")


@pytest.fixture(autouse=True)
def short_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is on its way in the sandbox is there before the answer is."""
    monkeypatch.setattr(copy_jobs, "LOST_ANSWER_S", 0.02)
    monkeypatch.setattr(copy_jobs, "_LOOK_EVERY_S", 0.01)
    monkeypatch.setattr(copy_run, "_RETRY_AFTER_S", 0.01)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'console.db'}"


@pytest.fixture
def database(url: str) -> Iterator[Engine]:
    engine = open_database(url)
    yield engine
    engine.dispose()


def planned(own: OwnSandbox, *names: str, source: Source | None = None, reference: str = "v1") -> CopyPlan:
    registry = own.registry()
    places = [(name.partition(":")[0], name.partition(":")[2]) for name in names]
    source = source or Source(registry.login_server, APP, reference, registry)
    return read_copy_plan(
        own.session(),
        source,
        registry,
        [place for place in places if place[1]],
        [one for one, tag in places if not tag],
    )


def begun(database: Engine, *plans: CopyPlan) -> Job:
    target = plans[0].target.login_server
    return begin(database, WHO, ACTION, target, "", as_items(plans), as_details(plans), LEASE)


def run(own: OwnSandbox, database: Engine, job: Job, *plans: CopyPlan) -> Job:
    return ran(database, own.session(), job, work(*plans))


def work(*plans: CopyPlan) -> Work:
    return lambda session, job, running: run_copies(session, job, running, no_report, plans=plans)


def outcomes(job: Job) -> dict[str, str]:
    return {name: result.outcome for name, result in job.results.items()}


def imports(own: OwnSandbox) -> list[int]:
    return [request.status for request in own.sandbox.requests if request.path.endswith("/importImage")]


@pytest.mark.parametrize("at", ["as it sends", "before the answer", "after a write"])
def test_killed_at_any_point_it_is_ended_as_if_it_had_not_been(
    own: OwnSandbox, database: Engine, url: str, at: str
) -> None:
    index = own.push_index("v1")
    signature = own.attach(index)
    one, _ = own.push("one", number=7)
    point = points = 0
    while True:
        point += 1
        first, second = f"team/copy{point}", f"team/other{point}"
        plans = [planned(own, f"{first}:v1", f"{first}:stable"), planned(own, second, reference="one")]
        own.sandbox.clear_requests()
        limits = {"commits": point} if at == "after a write" else {"requests": point}
        process = Process(own.sandbox, url, answered=at == "before the answer", **limits)
        job = begun(database, *plans)
        if not killed(process, job, work(*plans)):
            break
        points += 1
        ended = found(database, job)
        if not ended.ended:
            ended = run(own, database, lost(database, job))
        names = {f"{first}:v1", f"{first}:stable", f"{first}@{signature}", second}
        assert set(outcomes(ended)) == names, point
        assert set(outcomes(ended).values()) <= {"created", "already done"}, (point, ended.results)
        assert own.tags(first) == {"v1": index, "stable": index}
        stored = own.sandbox.store
        assert stored.get_manifest(REGISTRY, first, signature) and stored.get_manifest(REGISTRY, second, one)
        # What was accepted once is not asked for again: the image, its signature, the other image.
        assert imports(own) == [202] * 3, point
    assert points >= 6


def test_a_tag_that_somebody_else_set_meanwhile_is_refused_with_the_cause(own: OwnSandbox, database: Engine) -> None:
    own.push("v1")
    theirs, _ = own.push(number=2, repository="team/copy")
    job = begun(database, planned(own, "team/copy:v1"))
    own.move("v1", theirs, "team/copy")
    ended = run(own, database, lost(database, job))
    assert outcomes(ended) == {"team/copy:v1": "refused"}
    assert f"was not there when it was planned, and now points to {theirs}" in ended.results["team/copy:v1"].cause
    assert imports(own) == []
    assert own.tags("team/copy") == {"v1": theirs}


def test_a_source_tag_that_moved_meanwhile_changes_nothing(own: OwnSandbox, database: Engine) -> None:
    digest, _ = own.push("v1")
    job = begun(database, planned(own, "team/copy:v1"))
    own.push("v1", number=2)
    assert outcomes(run(own, database, lost(database, job))) == {"team/copy:v1": "created"}
    assert own.tags("team/copy") == {"v1": digest}


def test_a_source_that_is_gone_is_refused_by_itself(own: OwnSandbox, database: Engine) -> None:
    gone, _ = own.push("v1")
    own.push("v2", number=2)
    plans = [planned(own, "team/copy:v1"), planned(own, "team/copy:v2", reference="v2")]
    job = begun(database, *plans)
    own.remove("v1")
    own.sandbox.store.delete_manifest(REGISTRY, APP, gone, own.sandbox.state.stamp())
    ended = run(own, database, lost(database, job))
    assert outcomes(ended) == {"team/copy:v1": "refused", "team/copy:v2": "created"}
    assert "MANIFEST_UNKNOWN" in ended.results["team/copy:v1"].cause


def test_a_tag_that_was_confirmed_to_move_moves_also_after_a_kill(own: OwnSandbox, database: Engine) -> None:
    digest, _ = own.push("v1")
    own.move("v1", own.push(number=2, repository="team/copy")[0], "team/copy")
    ended = run(own, database, lost(database, begun(database, planned(own, "team/copy:v1"))))
    assert outcomes(ended) == {"team/copy:v1": "changed"}
    assert own.tags("team/copy") == {"v1": digest}


def noted(database: Engine, job: Job, name: str, url: str) -> Job:
    """The job, whose process asked for that import, taken over."""
    running = RunningJob(database, job, LEASE, threading.Event())
    running.note(name, url)
    running.abandon()
    return lost(database, job)


def operation(own: OwnSandbox, *plans: CopyPlan) -> str:
    """The address of the operation of an import that Azure has accepted for this plan."""
    urls: list[str] = []
    copy_run.apply_copy(own.session(), plans[0], note=lambda _name, url: urls.append(url))
    return urls[-1]


def test_an_import_that_still_runs_is_waited_for(own: OwnSandbox, database: Engine) -> None:
    digest, _ = own.push("v1")
    plan = planned(own, "team/copy:v1")
    job = begun(database, plan)
    url = operation(own, plan)
    own.break_({"method": "GET", "path": "operationResults", "status": 202, "times": 3})
    own.sandbox.clear_requests()
    ended = run(own, database, noted(database, job, "team/copy:v1", url))
    assert outcomes(ended) == {"team/copy:v1": "created"}
    assert imports(own) == []
    assert own.tags("team/copy") == {"v1": digest}


def test_an_import_that_failed_at_azure_is_refused_as_azure_says(own: OwnSandbox, database: Engine) -> None:
    own.push("v1")
    plan = planned(own, "team/copy:v1")
    job = begun(database, plan)
    url = operation(own, plan)
    body = {"error": {"code": "InvalidParameters", "message": "Error copying blobs"}}
    own.break_({"method": "GET", "path": "operationResults", "status": 400, "body": json.dumps(body)})
    ended = run(own, database, noted(database, job, "team/copy:v1", url))
    assert outcomes(ended) == {"team/copy:v1": "refused"}
    assert "Error copying blobs" in ended.results["team/copy:v1"].cause


def test_an_operation_that_azure_no_longer_knows_is_compared(own: OwnSandbox, database: Engine) -> None:
    own.push("v1")
    plan = planned(own, "team/copy:v1")
    job = begun(database, plan)
    url = operation(own, plan)
    own.break_({"method": "GET", "path": "operationResults", "status": 404})
    own.sandbox.clear_requests()
    assert outcomes(run(own, database, noted(database, job, "team/copy:v1", url))) == {"team/copy:v1": "already done"}
    assert imports(own) == []


def test_the_token_goes_to_no_address_but_azures(own: OwnSandbox, database: Engine) -> None:
    own.push("v1")
    taken = noted(database, begun(database, planned(own, "team/copy:v1")), "team/copy:v1", "https://contoso.example/x")
    ended = run(own, database, taken)
    assert outcomes(ended) == {"team/copy:v1": "refused"}
    assert "OtherHost" in ended.results["team/copy:v1"].cause


def public(own: OwnSandbox) -> Source:
    """A source that the console does not read: its digest is not known."""
    document = own.registry()
    return parse_source(f"{document.login_server}/{APP}:v1", REGISTRY, "secret-of-the-source")


def test_of_an_unknown_digest_it_is_said_that_nothing_can_be_compared(own: OwnSandbox, database: Engine) -> None:
    digest, _ = own.push("v1")
    plan = planned(own, "team/copy:v1", source=replace(public(own), password=""))
    job = begun(database, plan)
    own.push(number=1, repository="team/copy")
    own.move("v1", digest, "team/copy")
    ended = run(own, database, noted(database, job, "team/copy:v1", ""))
    assert outcomes(ended) == {"team/copy:v1": "not confirmed"}
    assert imports(own) == []


def test_a_password_is_not_recorded_and_its_copy_not_continued(own: OwnSandbox, database: Engine) -> None:
    own.push("v1")
    job = begun(database, planned(own, "team/copy:v1", source=public(own)))
    assert "secret-of-the-source" not in json.dumps(dict(job.details))
    ended = run(own, database, lost(database, job))
    assert outcomes(ended) == {"team/copy:v1": "refused"}
    assert "a password, which is not recorded" in ended.results["team/copy:v1"].cause
    assert imports(own) == []


def never_ends(own: OwnSandbox) -> None:
    """Imports that Azure has accepted, and says of that they run."""
    own.break_({"method": "GET", "path": "operationResults", "status": 202})


def test_a_stop_ends_the_wait_and_the_next_images(own: OwnSandbox, database: Engine) -> None:
    own.push("v1")
    own.push("v2", number=2)
    plans = [planned(own, "team/copy:v1"), planned(own, "team/copy:v2", reference="v2")]
    job = begun(database, *plans)
    stop = threading.Event()
    running = RunningJob(database, job, LEASE, stop)
    never_ends(own)
    run_copies(own.session(), job, running, lambda *_: stop.set(), plans=plans)
    request_stop(database, WHO, job.id)
    running.end()
    ended = found(database, job)
    assert outcomes(ended) == {"team/copy:v1": "not confirmed"}
    assert ended.results["team/copy:v1"].cause.startswith("No longer waited for")
    assert imports(own) == [202]


def test_a_process_that_ends_leaves_the_wait_to_another(own: OwnSandbox, database: Engine) -> None:
    own.push("v1")
    plan = planned(own, "team/copy:v1")
    job = begun(database, plan)
    running = RunningJob(database, job, LEASE, threading.Event())
    never_ends(own)
    run_copies(own.session(), job, running, lambda *_: running.release(), plans=[plan])
    running.end()
    own.break_()
    left = found(database, job)
    assert (left.results, left.ended) == ({}, None)
    taken = take_over(database, WHO, LEASE, [ACTION])
    assert taken and outcomes(run(own, database, taken)) == {"team/copy:v1": "created"}
    assert imports(own) == [202]


def test_an_answer_that_was_lost_is_not_called_a_refusal(own: OwnSandbox, database: Engine) -> None:
    own.push("v1")
    plan = planned(own, "team/copy:v1")
    own.break_({"method": "POST", "path": "importImage", "reset": True})
    ended = run(own, database, begun(database, plan), plan)
    assert outcomes(ended) == {"team/copy:v1": "not confirmed"}
    assert "may be copying all the same" in ended.results["team/copy:v1"].cause


def test_a_database_that_is_lost_stops_the_job_before_the_next_request(own: OwnSandbox, database: Engine) -> None:
    own.push("v1")
    plan = planned(own, "team/copy:v1")
    job = begun(database, plan)
    with database.begin() as db:
        db.execute(text("ALTER TABLE jobs RENAME TO elsewhere"))
    running = RunningJob(database, job, LEASE, threading.Event())
    with pytest.raises(ServiceError) as raised:
        run_copies(own.session(), job, running, no_report, plans=[plan])
    running.abandon()
    assert raised.value.code == "NoDatabase"
    assert imports(own) == []


# What is written down


@given(
    st.lists(
        st.tuples(tag_names, st.sampled_from([None, digest_of(1), digest_of(2)]), st.booleans()),
        min_size=1,
        max_size=5,
        unique_by=lambda one: one[0],
    ),
    st.booleans(),
    st.text(max_size=5),
)
def test_what_is_recorded_says_all_that_was_planned_and_no_password(
    tags: list[tuple[str, str | None, bool]], in_inventory: bool, password: str
) -> None:
    registry = a_registry()
    source = Source("contoso.azurecr.io", APP, "v1", registry if in_inventory else None, "user", password)
    items = tuple(CopyItem(APP, tag, at, known) for tag, at, known in tags)
    plans = (CopyPlan(source, registry, items, None),)
    details = json.loads(json.dumps(as_details(plans)))
    job = replace(_job(), details=details, items=as_items(plans))
    (copy,) = copies_of(job)
    assert copy.items == items and copy.names == tuple(item.name for item in job.items)
    assert copy.source == replace(source, registry=None, password="")
    assert (copy.registry, copy.password) == (registry.id if in_inventory else "", bool(password))


def _job() -> Job:
    return Job("1", WHO, ACTION, "contoso.azurecr.io", "", {}, datetime(2026, 1, 1, tzinfo=UTC), (), {}, 1, True)


@given(st.lists(tag_names, min_size=1, max_size=6, unique=True), st.lists(tag_names, max_size=3), st.data())
def test_what_is_left_of_a_job_is_what_has_no_result(
    tags: list[str], referrers: list[str], data: st.DataObject
) -> None:
    source, half = Source("contoso.azurecr.io", APP, "v1"), len(tags) // 2
    items = [
        ReferrerItem(Referrer(digest_of(9), digest_of(1), "signature", f"sha256-{tag}.sig"), APP) for tag in referrers
    ]
    plans = [
        CopyPlan(source, a_registry(), tuple(CopyItem(APP, tag) for tag in part), None, referrers=tuple(items))
        for part in (tags[:half], tags[half:])
        if part
    ]
    job = replace(_job(), details=as_details(plans), items=as_items(plans))
    names = {item.name for item in job.items}
    assert len(names) == len(job.items)
    done = data.draw(st.sets(st.sampled_from(sorted(names))))
    left = [copy.left(done) for copy in copies_of(job)]
    assert {name for copy in left for name in copy.names} == names - done
    assert [copy.left(names).names for copy in left] == [()] * len(plans)
    assert [copy.left(set()) for copy in left] == left
