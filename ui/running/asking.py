"""Clusters are asked which images run in them: what that runs is shown before, and the answer of each after."""

from collections.abc import Sequence

import streamlit as st

from services.aks.clusters import Cluster
from services.connection.parallel import Progress
from services.connection.session import AzureSession
from services.jobs.changes import Answer
from services.jobs.jobs import Job
from services.jobs.plans import details_of
from services.jobs.running import RunningJob
from services.running.ask_jobs import ANSWERED, UNSAVED, AskedClusters, ask_items, run_asking
from services.running.asking import SCRIPT, AskPlan, plan_asking
from services.running.listing import listing_script
from services.wording import counted
from ui.elements.errors import panel
from ui.elements.notices import dialog
from ui.elements.outcomes import result_line
from ui.elements.writing import confirm, counted_action, dialog_panel
from ui.jobs.kinds import JobKind
from ui.jobs.notices import begin_and_show, show_jobs, show_stopped
from ui.loaders import running as loader

# Names in the title of a job; the rest is counted.
_NAMED = 3


@dialog("Ask clusters which images run", width="large")
def start_asking(who: str, clusters: Sequence[Cluster]) -> None:
    """Shows what would run in these clusters, lets the person choose among them, and asks after a confirmation."""
    with dialog_panel():
        st.markdown(
            "Runs a pod in each cluster for some seconds, in its namespace aks-command. The pod lists pods, "
            "Deployments, StatefulSets, DaemonSets, ReplicaSets, Jobs and CronJobs with your permissions, and changes "
            "nothing. Only image names, digests and their owners leave the cluster."
        )
        every = {one.id: one for one in sorted(clusters, key=lambda one: (one.name.casefold(), one.id))}
        chosen = st.multiselect(
            "Clusters", list(every), list(every), format_func=lambda key: every[key].name, key="clusters to ask"
        )
        plan = plan_asking(every[key] for key in chosen)
        with st.expander(f"The script, {SCRIPT}", icon=":material/terminal:"):
            st.code(listing_script(), language="bash")
        if confirm(plan, counted_action("Ask", len(plan.clusters), "cluster"), ready=bool(plan.clusters)):
            with panel():
                _begin(who, plan)


def _begin(who: str, plan: AskPlan) -> None:
    names = ", ".join(one.name for one in plan.clusters[:_NAMED])
    more = len(plan.clusters) - _NAMED
    target = f"{names} and {more:,} more" if more > 0 else names
    details = details_of(AskedClusters, plan.clusters, plan.commands)
    begin_and_show(who, ASK_CLUSTERS, target, ask_items(plan.clusters), details)


def _run(session: AzureSession, job: Job, running: RunningJob, report: Progress) -> Answer:
    return run_asking(session, job, running, report, lambda answer: loader.keep(job.who, answer))


ASK_CLUSTERS = JobKind("Ask clusters which images run", "Asking", _run, lambda _job: None)


def show_asking(who: str) -> None:
    """The questions to clusters that are under way, and those that this session has seen end, until dismissed."""
    show_jobs(who, ASK_CLUSTERS, _show_end, stop="Stop")


def _show_end(job: Job) -> None:
    good = sum(one.outcome == ANSWERED for one in job.results.values())
    mark = ":green[:material/check:]" if good == len(job.items) else ":orange[:material/warning:]"
    st.markdown(f"{mark} {good} of {counted(len(job.items), 'cluster')} answered.")
    for name, result in job.results.items():
        if result.outcome != ANSWERED or UNSAVED in result.cause:
            st.markdown(result_line(name, result.outcome, result.cause))
    show_stopped(job)
