"""The record of a deletion as a file, and what it says of the policy that it follows."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from services.deletion.by_policy import PolicyRun, as_details, policy_run_of, policy_sentences
from services.deletion.job_export import as_html, as_json
from services.jobs.jobs import Job, JobItem, JobResult

RUN = PolicyRun("Old <images>", "p1", 3, False, 1000, 50, 100)
JOB = Job(
    "j1", "tenant/1", "delete manifests", "contosoacr01.azurecr.io", "team/app", as_details(RUN),
    datetime(2026, 11, 1, tzinfo=UTC),
    (JobItem("sha256:a", "sha256:a", ("v1", "<b>")), JobItem("sha256:b", "sha256:b")),
    {"sha256:a": JobResult("refused", "Pulled since it was planned.")}, 1, True, login="operator",
)  # fmt: skip


def test_json_has_the_policy_and_each_item() -> None:
    record = json.loads(as_json(JOB))
    assert record["policy"] == {
        "name": "Old <images>", "id": "p1", "version": 3, "edited": False,
        "ceiling": {"manifests": 1000, "share_percent": 50, "gib": 100}, "above_ceiling": [], "scheduled_run": None,
        "approved_by": "operator",
    }  # fmt: skip
    assert [(one["name"], one["result"], one["reason"]) for one in record["items"]] == [
        ("sha256:a", "refused", "Pulled since it was planned."),
        ("sha256:b", "no result", None),
    ]


def test_html_has_the_same_and_what_others_wrote_is_text() -> None:
    page = as_html(JOB)
    assert "<p>Policy: Old &lt;images&gt;, version 3.</p>" in page
    assert "Ceiling of a run: 1,000 manifests, 50 % of a repository and 100 GiB." in page
    assert "v1, &lt;b&gt;" in page and "<b>" not in page
    assert "Pulled since it was planned." in page


def test_a_deletion_without_a_policy_says_nothing_of_one() -> None:
    job = replace(JOB, details={})
    assert json.loads(as_json(job))["policy"] is None
    assert "Policy" not in as_html(job)


@pytest.mark.parametrize("kept", ["x", {}, {"above": None}, {"above": [], "name": "x", "unknown": 1}])
def test_what_another_version_kept_is_no_error(kept: object) -> None:
    assert policy_run_of(replace(JOB, details={"policy": kept})) is None


@pytest.mark.parametrize(
    ("run", "said"),
    [
        (RUN, "Started and approved by operator."),
        (replace(RUN, run="r1"), "Proposed by the schedule and approved by operator."),
        (replace(RUN, run="r1", by_itself=True), "Approved by nobody: the schedule started it by itself"),
        (replace(RUN, edited=True), "version 3, with changes that were not saved."),
        (replace(RUN, policy="", version=0), "Policy: Old <images>, which was not saved."),
        (replace(RUN, above=("It deletes 9 manifests.",)), "Above the ceiling, and confirmed: It deletes 9 manifests."),
    ],
)
def test_who_approved_which_version(run: PolicyRun, said: str) -> None:
    assert said in " ".join(policy_sentences(run, "operator"))
    assert policy_run_of(replace(JOB, details=json.loads(json.dumps(as_details(run))))) == run


def test_nobody_is_no_approver() -> None:
    job = replace(JOB, details=as_details(replace(RUN, run="r1", by_itself=True)))
    assert json.loads(as_json(job))["policy"]["approved_by"] is None
