"""A promotion as a job: copied by digest with its referrers, its tag locked and read back; its record as files."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest
from sqlalchemy import Engine

from sandbox.documents.registry_rules import REGISTRY_TYPE
from services.database.engine import open_database
from services.jobs.jobs import Job, JobItem, JobResult, begin
from services.promotion import jobs as promotion_jobs
from services.promotion.checks import Check, Verdict
from services.promotion.jobs import (
    ACTION,
    CheckedCopy,
    promotion_details,
    promotion_items,
    promotions_of,
    run_promotion,
)
from services.promotion.record import as_html, as_json, record_of
from services.transfer import copy_jobs, copy_run
from services.transfer.copy_plan import CopyPlan, Source, read_copy_plan
from tests.support.documents import OCI_CONFIG, OCI_MANIFEST, digest_of
from tests.support.dying import Process
from tests.support.killed_jobs import LEASE, WHO, found, killed, lost, no_report, ran
from tests.support.own_sandbox import APP, REGISTRY, OwnSandbox

PROD, TARGET = "contosoprod01", "shop/app"
CHECKS = (Check("Signature", Verdict.NOT_VERIFIED, "A signature was found (Notation)."),)

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")


@pytest.fixture(autouse=True)
def short_looks(monkeypatch: pytest.MonkeyPatch) -> None:
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


def planned(own: OwnSandbox, tag: str = "v1") -> CopyPlan:
    registry = own.registry()
    digest = own.tags()["v1"]
    target = own.registry(PROD) if own.sandbox.store.find_resource(REGISTRY_TYPE, PROD) else own.make_registry(PROD)
    return read_copy_plan(own.session(), Source(registry.login_server, APP, digest, registry), target, [(TARGET, tag)])


def begun(database: Engine, plan: CopyPlan, *, lock: bool = True) -> Job:
    details = promotion_details([CheckedCopy(plan, CHECKS)], ["SBOM"], lock=lock)
    return begin(
        database, WHO, ACTION, plan.target.login_server, TARGET, promotion_items([plan], lock=lock), details, LEASE
    )


def run(own: OwnSandbox, database: Engine, job: Job, *plans: CopyPlan) -> Job:
    return ran(
        database,
        own.session(),
        job,
        lambda session, one, running: run_promotion(session, one, running, no_report, plans=plans),
    )


def locks(own: OwnSandbox) -> dict[str, tuple[bool, bool]]:
    return {tag.name: (tag.locks.delete, tag.locks.write) for tag in own.sandbox.store.list_tags(PROD, TARGET)}


def test_an_image_is_promoted_with_its_signature_and_its_tag_locked(own: OwnSandbox, database: Engine) -> None:
    digest = own.push_index("v1")
    signature = own.attach(digest)
    plan = planned(own)
    job = run(own, database, begun(database, plan), plan)
    assert job.state == "Completed"
    assert own.tags(TARGET, PROD) == {"v1": digest}
    assert locks(own) == {"v1": (False, False)}
    assert own.sandbox.store.get_manifest(PROD, TARGET, signature)
    assert {name: one.outcome for name, one in job.results.items()} == {
        f"{TARGET}:v1": "created",
        f"{TARGET}@{signature}": "created",
        f"Lock of {TARGET}:v1": "changed",
    }


def test_without_the_wish_nothing_is_locked(own: OwnSandbox, database: Engine) -> None:
    own.push("v1")
    plan = planned(own)
    job = run(own, database, begun(database, plan, lock=False), plan)
    assert job.state == "Completed"
    assert locks(own) == {"v1": (True, True)}


def test_a_tag_that_was_moved_by_another_is_not_locked(
    own: OwnSandbox, database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    own.push("v1")
    plan = planned(own)
    job = begun(database, plan)
    copied = promotion_jobs.run_copies

    def copy_and_lose(*args: object, **more: object) -> object:
        answer = copied(*args, **more)  # type: ignore[arg-type]
        config = {"mediaType": OCI_CONFIG, "digest": digest_of(7), "size": 2}
        raw = json.dumps({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": []}).encode()
        other = own.sandbox.store.add_manifest(PROD, TARGET, raw, OCI_MANIFEST, own.sandbox.state.stamp())
        own.sandbox.store.add_tag(PROD, TARGET, "v1", other, own.sandbox.state.stamp())
        return answer

    monkeypatch.setattr(promotion_jobs, "run_copies", copy_and_lose)
    job = run(own, database, job, plan)
    assert job.state == "Incomplete"
    result = job.results[f"Lock of {TARGET}:v1"]
    assert result.outcome == "refused"
    assert "not to what was promoted" in result.cause
    assert locks(own) == {"v1": (True, True)}


def test_what_was_not_copied_is_not_locked(own: OwnSandbox, database: Engine) -> None:
    own.push("v1")
    plan = planned(own)
    job = begun(database, plan)
    own.break_({"method": "POST", "path": "importImage", "status": 403, "body": '{"error": {"code": "Denied"}}'})
    job = run(own, database, job, plan)
    assert {one.outcome for one in job.results.values()} == {"refused"}
    assert "was not copied" in job.results[f"Lock of {TARGET}:v1"].cause


@pytest.mark.parametrize("answer", [{"status": 403}, {"status": 409}, {"status": 429, "retry_after": 999}])
def test_a_lock_that_is_refused_is_said(own: OwnSandbox, database: Engine, answer: dict[str, int]) -> None:
    own.push("v1")
    plan = planned(own)
    job = begun(database, plan)
    own.break_({"method": "PATCH", "path": "_tags", **answer})
    job = run(own, database, job, plan)
    assert job.state == "Incomplete"
    assert job.results[f"{TARGET}:v1"].outcome == "created"
    assert job.results[f"Lock of {TARGET}:v1"].outcome == "refused"


@pytest.mark.parametrize("commits", range(1, 8))
def test_a_promotion_that_was_killed_goes_on(own: OwnSandbox, database: Engine, url: str, commits: int) -> None:
    digest = own.push_index("v1")
    own.attach(digest)
    plan = planned(own)
    job = begun(database, plan)
    process = Process(own.sandbox, url, commits=commits)
    killed(process, job, lambda session, one, running: run_promotion(session, one, running, no_report, plans=[plan]))
    job = found(database, job)
    if not job.ended:
        job = run(own, database, lost(database, job))
    assert job.state == "Completed"
    assert own.tags(TARGET, PROD) == {"v1": digest}
    assert locks(own) == {"v1": (False, False)}
    checked = promotions_of(job)
    assert checked
    assert [one.checks for one in checked.images] == [CHECKS]


def planned_many(own: OwnSandbox) -> list[CopyPlan]:
    """Two images, each with a signature, and a target."""
    registry = own.registry()
    digests = [own.push(tag, number=number)[0] for number, tag in enumerate(("v1", "v2"), 1)]
    for digest in digests:
        own.attach(digest)
    target = own.make_registry(PROD)
    sources = [Source(registry.login_server, APP, digest, registry) for digest in digests]
    tags = zip(sources, ("v1", "v2"), strict=True)
    return [read_copy_plan(own.session(), source, target, [(TARGET, tag)]) for source, tag in tags]


def begun_many(database: Engine, plans: list[CopyPlan]) -> Job:
    images = [CheckedCopy(plan, CHECKS) for plan in plans]
    details = promotion_details(images, [], lock=True, left_out=[("v3", "No signature refers to it.")])
    items = promotion_items(plans, lock=True)
    return begin(database, WHO, ACTION, plans[0].target.login_server, TARGET, items, details, LEASE)


def test_several_are_promoted_item_by_item_in_one_record(own: OwnSandbox, database: Engine) -> None:
    plans = planned_many(own)
    job = run(own, database, begun_many(database, plans), *plans)
    assert job.state == "Completed"
    assert own.tags(TARGET, PROD) == {"v1": plans[0].digest, "v2": plans[1].digest}
    assert locks(own) == {"v1": (False, False), "v2": (False, False)}
    record = record_of(job)
    assert [one["digest"] for one in record["promotions"]] == [plan.digest for plan in plans]
    for one, plan in zip(record["promotions"], plans, strict=True):
        assert [item["result"] for item in one["items"]] == ["created", "created", "changed"]
        assert {item["digest"] for item in one["items"]} == {plan.digest, plan.referrers[0].referrer.digest}
    assert record["not_promoted"] == [{"image": "v3", "reason": "No signature refers to it."}]


def test_one_that_is_refused_does_not_keep_the_others(own: OwnSandbox, database: Engine) -> None:
    plans = planned_many(own)
    own.move("v9", plans[0].digest)
    own.sandbox.store.delete_manifest(REGISTRY, APP, plans[0].digest, own.sandbox.state.stamp())
    job = run(own, database, begun_many(database, plans), *plans)
    assert job.state == "Incomplete"
    assert own.tags(TARGET, PROD) == {"v2": plans[1].digest}
    first, second = record_of(job)["promotions"]
    assert {one["result"] for one in first["items"]} == {"refused"}
    assert [one["result"] for one in second["items"]] == ["created", "created", "changed"]


@pytest.mark.parametrize("commits", range(1, 14, 3))
def test_a_promotion_of_several_that_was_killed_goes_on(
    own: OwnSandbox, database: Engine, url: str, commits: int
) -> None:
    plans = planned_many(own)
    job = begun_many(database, plans)
    process = Process(own.sandbox, url, commits=commits)
    killed(process, job, lambda session, one, running: run_promotion(session, one, running, no_report, plans=plans))
    job = found(database, job)
    if not job.ended:
        job = run(own, database, lost(database, job))
    assert job.state == "Completed"
    assert own.tags(TARGET, PROD) == {"v1": plans[0].digest, "v2": plans[1].digest}
    assert locks(own) == {"v1": (False, False), "v2": (False, False)}
    assert len(record_of(job)["promotions"]) == 2


# The record

HOSTILE = '<script>alert(1)</script>"&\u2028'


def a_job(*, damaged: bool = False) -> Job:
    promotion = {
        "source": f"contoso.azurecr.io/{HOSTILE}",
        "digest": "sha256:1",
        "size": 5 * 2**20,
        "manifests": 3,
        "platforms": [HOSTILE],
        "referrers": [[f"{HOSTILE}@sha256:2", HOSTILE]],
        "checks": [{"name": HOSTILE, "verdict": "Passed", "why": HOSTILE}],
        "items": [HOSTILE],
        "unread": HOSTILE,
    }
    return Job(
        "20260501-1",
        "tenant/object",
        ACTION,
        "prod.azurecr.io",
        HOSTILE,
        {
            "promotions": [{}] if damaged else [promotion],
            "unchecked": ["SBOM"],
            "left_out": [[HOSTILE, HOSTILE]],
            "commands": [f"az acr import --source '{HOSTILE}'"],
            "sent": [["POST", "management/x", 202, "request-1", "correlation-1"]],
        },
        datetime(2026, 5, 1, tzinfo=UTC),
        (JobItem(HOSTILE, "sha256:1"), JobItem("left", "")),
        {HOSTILE: JobResult("refused", HOSTILE)},
        1,
        False,
        ended=datetime(2026, 5, 1, 0, 1, tzinfo=UTC),
        login="ada@contoso.com",
    )


class Outline(HTMLParser):
    """The tags of a page, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_html_has_all_and_needs_nothing_else() -> None:
    page = Outline()
    page.feed(as_html(a_job()))
    assert not {"script", "img", "link", "a", "iframe"} & set(page.tags)
    assert not {"src", "href", "onload"} & page.attributes
    assert page.text.count(HOSTILE) >= 10
    for part in ("ada@contoso.com", "5.0 MiB in 3 manifests", "request-1", "correlation-1", "Not checked", "no result"):
        assert part in page.text


def test_the_json_has_the_same() -> None:
    record = json.loads(as_json(a_job()))
    assert record == json.loads(json.dumps(record_of(a_job())))
    assert record["by"] == "ada@contoso.com"
    (promotion,) = record["promotions"]
    assert promotion["checks"] == [{"check": HOSTILE, "result": "Passed", "reason": HOSTILE}]
    assert record["requests"][0]["correlation_id"] == "correlation-1"
    assert promotion["referrers_unknown"] == HOSTILE
    assert [one["result"] for one in promotion["items"]] == ["refused"]
    assert record["not_checked"] == ["SBOM"]
    assert record["not_promoted"] == [{"image": HOSTILE, "reason": HOSTILE}]
    assert [one["result"] for one in record["items"]] == ["refused", "no result"]


def test_a_record_of_another_form_is_still_a_file() -> None:
    assert promotions_of(a_job(damaged=True)) is None
    assert "unknown" in as_html(a_job(damaged=True))
    assert json.loads(as_json(a_job(damaged=True)))["promotions"] is None


def test_the_registry_is_another(own: OwnSandbox) -> None:
    own.push("v1")
    assert planned(own).target.name == PROD != REGISTRY
