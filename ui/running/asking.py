"""Clusters are asked which images run in them: what that runs is shown before, and the answer of each after."""

from collections.abc import Sequence
from typing import TypeAlias

import streamlit as st

from services.aks.clusters import Cluster
from services.jobs.changes import Answer, Change
from services.running.asking import SCRIPT, AskPlan, ask_clusters, plan_asking
from services.running.images import ClusterImages
from services.running.listing import listing_script
from services.wording import counted
from ui.elements.errors import show_error
from ui.elements.text import plain
from ui.elements.writing import confirm, counted_action, dialog_panel
from ui.loaders import running
from ui.runtime import connection
from ui.runtime.background import Reading
from ui.runtime.session_runs import RunKind, begin, show

_Answers: TypeAlias = tuple[ClusterImages, ...]
_QUESTIONS = RunKind[AskPlan, _Answers]("questions to clusters")


@st.dialog("Ask clusters which images run", width="large")
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
            session = connection.session(who)

            def work(reading: Reading[_Answers | None]) -> _Answers:
                answered: list[ClusterImages] = []
                reading.report(0, len(plan.clusters), "clusters")

                def on_answer(answer: ClusterImages) -> None:
                    running.keep(who, answer)
                    answered.append(answer)
                    reading.report(len(answered), len(plan.clusters), "clusters")

                ask_clusters(session, plan, on_answer=on_answer, stop=reading.stop)
                return tuple(answered)

            names = ", ".join(one.name for one in plan.clusters)
            change = Change("Ask clusters which images run", names, plan.commands)
            begin(_QUESTIONS, "asked", plan, work, lambda: None, change, _as_answer, verb="Asking")


def _as_answer(answers: _Answers) -> Answer:
    lines = [f"- {plain(one.cluster.name)}: {_said(one)}" for one in answers]
    return Answer("\n".join(lines), not any(one.error for one in answers))


def _said(answer: ClusterImages) -> str:
    return plain(answer.error.cause) if answer.error else counted(len(answer.images), "image")


def show_asking() -> None:
    """The questions that this session asked, with their progress, until they are dismissed."""
    show(_QUESTIONS, _show_end, stop="Stop")


def _show_end(plan: AskPlan, answers: _Answers) -> None:
    good = sum(not one.error for one in answers)
    mark = ":green[:material/check:]" if good == len(plan.clusters) else ":orange[:material/warning:]"
    st.markdown(f"{mark} {good} of {counted(len(plan.clusters), 'cluster')} answered.")
    for answer in answers:
        if answer.error:
            show_error(answer.error)
