"""Attaching several pairs at once: a plan and a result for each."""

from collections.abc import Sequence

import streamlit as st

from services.aks.attach import AttachPlan, read_attach_plan
from services.aks.attach_jobs import AttachPlans, attach_items, run_attach
from services.connection.changes import Outcome
from services.connection.parallel import Partial, Progress, parallel_map
from services.connection.session import AzureSession
from services.jobs.changes import Answer
from services.jobs.jobs import Job
from services.jobs.plans import details_of
from services.jobs.running import RunningJob
from services.pull_checks.matrix import Pair
from services.wording import counted
from ui.elements.errors import Part, panel, show_partial
from ui.elements.notices import dialog
from ui.elements.outcomes import label
from ui.elements.table import show_rows
from ui.elements.writing import PlainPlan, confirm, counted_action
from ui.jobs.kinds import JobKind
from ui.jobs.notices import begin_and_show, show_jobs, show_stopped
from ui.loaders import clusters
from ui.roles.requests import close_requests
from ui.runtime import connection

# More would take minutes, and the plan would be too long to read.
MOST = 50


def attach_label(pairs: int) -> str:
    """The label of the button that attaches so many pairs."""
    return "Attach registry" if pairs == 1 else counted_action("Attach", pairs, "pair")


def _name(pair: Pair | AttachPlan) -> str:
    return f"{pair.cluster.name} ← {pair.registry.name}"


@st.cache_resource(
    ttl="1m",
    show_spinner="Planning",
    max_entries=20,
    hash_funcs={Pair: lambda pair: (pair.cluster.id, pair.registry.id)},
)
def _plans(who: str, pairs: tuple[Pair, ...]) -> Partial[AttachPlan]:
    session = connection.session(who)
    return parallel_map(
        lambda pair: read_attach_plan(session, pair.cluster, pair.registry, principal_id=pair.principal_id),
        pairs,
        name=_name,
    )


@dialog("Attach registries", width="large")
def attach_many(who: str, pairs: Sequence[Pair]) -> None:
    """Shows the plan of all, and starts to attach them."""
    chosen = tuple(pairs[:MOST])
    if len(pairs) > MOST:
        st.warning(f"Only the first {MOST} of {len(pairs):,} pairs are planned.", icon=":material/warning:")
    plans = _plans(who, chosen)
    show_partial(Part(plans, "plan"))
    ready = [plan for plan in plans.values if not plan.nothing_to_do and not plan.blockers]
    show_rows(
        [
            {
                "Cluster": plan.cluster.name,
                "Registry": plan.registry.name,
                "Role": plan.role_name,
                "Assigned to": plan.cluster.puller.kind,
                "Plan": "nothing to do" if plan.nothing_to_do else "blocked" if plan.blockers else "attach",
                "Reason": " ".join((*plan.blockers, *plan.warnings, *(reason.label for reason in plan.granted))),
                "Object id": plan.principal_id,
            }
            for plan in plans.values
        ],
        "Planned role assignments, one pair per row",
    )
    action = attach_label(len(ready))
    lines = tuple(line for plan in ready for line in plan.commands)
    if confirm(PlainPlan(commands=lines), action, ready=bool(ready), access=True):
        with panel():
            _plans.clear(who, chosen)
            _begin(who, ready)


def _begin(who: str, plans: Sequence[AttachPlan]) -> None:
    lines = tuple(line for plan in plans for line in plan.commands)
    target = counted(len(plans), "cluster and registry", "clusters and registries")
    begin_and_show(who, ATTACH_MANY, target, attach_items(plans), details_of(AttachPlans, tuple(plans), lines))


def _run(session: AzureSession, job: Job, running: RunningJob, report: Progress) -> Answer:
    return run_attach(session, job, running, report, lambda plan: close_requests(job.who, plan))


def _forget(job: Job) -> None:
    clusters.forget_pulls(job.who)


ATTACH_MANY = JobKind("Assign roles", "Attaching", _run, _forget)


def show_attachments(who: str) -> None:
    """Shows what is being attached, and what this session has seen end, until it is dismissed."""
    show_jobs(who, ATTACH_MANY, _show_end, stop="Stop")


def _show_end(job: Job) -> None:
    show_rows(
        [
            {"Pair": item.name, "Result": _result(job, item.name), "Reason": _reason(job, item.name)}
            for item in job.items
        ],
        "Results, one pair per row",
        columns={"Reason": st.column_config.TextColumn(width="large")},
    )
    show_stopped(job)
    st.caption("Each assignment was verified. A new role takes up to ten minutes to take effect.")


def _result(job: Job, name: str) -> str:
    result = job.results.get(name)
    return label(Outcome(result.outcome if result else Outcome.NOT_TRIED))


def _reason(job: Job, name: str) -> str:
    return job.results[name].cause if name in job.results else ""
