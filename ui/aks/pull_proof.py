"""A test pull in the cluster: its script, shown before it runs, and the result on each architecture."""

from typing import TypeAlias
from uuid import uuid4

import streamlit as st

from services.aks.clusters import Cluster
from services.aks.pull_proof import Proof, ProofPlan, Pulled, plan_proof, run_proof
from services.connection.names import image_name
from services.jobs.changes import Answer, Change
from services.registries.registry import Registry
from ui.elements.notices import dialog
from ui.elements.text import plain
from ui.elements.writing import confirm, dialog_panel
from ui.runtime import connection
from ui.runtime.background import Reading
from ui.runtime.session_runs import RunKind, begin, runs_of, show

_MARKS = {
    Pulled.YES: ":green-badge[:material/check: pulled]",
    Pulled.NO: ":red-badge[:material/close: not pulled]",
    Pulled.NOWHERE: ":orange-badge[:material/warning: no node to run on]",
    Pulled.UNKNOWN: ":gray-badge[:material/help: unknown]",
}
_Proofs: TypeAlias = tuple[Proof, ...]
_RUN_ID = "run id of the next test pull"
_TEST_PULLS = RunKind[ProofPlan, _Proofs]("test pulls")


@dialog("Run a test pull", width="large")
def start_test_pull(who: str, cluster: Cluster, registry: Registry, repository: str, reference: str) -> None:
    """Shows the script, and starts it after a confirmation."""
    with dialog_panel():
        # The pods' names, which are shown, are those that are used.
        run_id = st.session_state.setdefault(_RUN_ID, uuid4().hex[:8])
        plan = plan_proof(cluster, registry, repository, reference, run_id)
        st.markdown(
            f"Starts **{plain(plan.image)}** in the namespace default of **{plain(cluster.name)}**, in a pod for each "
            f"architecture ({', '.join(plan.architectures) or 'none'}), and deletes the pods after at most a minute. "
            "Whatever the image does when it starts, it does in that minute."
        )
        if confirm(plan, "Run test pull"):
            session = connection.session(who)
            del st.session_state[_RUN_ID]

            def work(reading: Reading[_Proofs | None]) -> _Proofs:
                reading.report_state("the test pull")
                return run_proof(session, plan)

            begin(
                _TEST_PULLS,
                _key(cluster, plan.image),
                plan,
                work,
                lambda: None,
                Change("Run test pull", f"{plan.image} in {cluster.name}", plan.commands),
                _proof_list,
                verb="Running",
            )


def _proof_list(proofs: _Proofs) -> Answer:
    return Answer("\n".join(f"- {_MARKS[proof.pulled]} {plain(proof.architecture)}" for proof in proofs))


def _key(cluster: Cluster, image: str) -> str:
    return f"{cluster.id} {image}"


def show_test_pull(cluster: Cluster, registry: Registry, repository: str, reference: str) -> None:
    """The test pull of this image, if this session started one."""
    image = f"{registry.login_server}/{image_name(repository, reference)}"
    if _key(cluster, image) in runs_of(_TEST_PULLS):
        st.subheader("Test pull", anchor=False)
        show(_TEST_PULLS, _show_end, only=lambda plan: (plan.cluster.id, plan.image) == (cluster.id, image))


def _show_end(_plan: ProofPlan, proofs: _Proofs) -> None:
    for proof in proofs:
        st.markdown(f"{_MARKS[proof.pulled]} **{plain(proof.architecture)}**")
        if proof.message:
            st.code(proof.message, language=None, wrap_lines=True)
