"""The proof of a pull in the cluster: what will run, said before it runs; then what each node made of it."""

import streamlit as st

from services.aks.clusters import Cluster
from services.aks.pull_proof import Proof, Pulled, plan_proof, run_proof
from services.connection.names import image_name
from services.registries.registry import Registry
from ui.elements.errors import panel, show_error
from ui.elements.text import plain
from ui.elements.writing import may_write, show_objections, show_read_only
from ui.runtime import connection
from ui.runtime.background import Reading, show_progress, start

_MARKS = {
    Pulled.YES: ":green-badge[:material/check: pulled]",
    Pulled.NO: ":red-badge[:material/close: not pulled]",
    Pulled.NOWHERE: ":orange-badge[:material/warning: no node to run on]",
    Pulled.UNKNOWN: ":gray-badge[:material/help: could not be told]",
}


@st.dialog("Prove it in the cluster", width="large")
def prove(who: str, cluster: Cluster, registry: Registry, repository: str, reference: str) -> None:
    """Shows the whole script, and starts it."""
    with panel():
        plan = plan_proof(cluster, registry, repository, reference)
        st.markdown(
            f"A pod that names **{plain(plan.image)}** is started in the namespace default of "
            f"**{plain(cluster.name)}**, one for each architecture ({', '.join(plan.architectures) or 'none'}), "
            "and deleted after a minute at most. "
            "Whatever the image does when it starts, it does in that minute."
        )
        show_objections(plan.blockers)
        st.code(plan.script, language="bash")
        show_read_only()
        if st.button("Run it in the cluster", type="primary", disabled=bool(plan.blockers) or not may_write()):
            session = connection.session(who)

            def work(reading: Reading[tuple[Proof, ...]]) -> None:
                reading.report(0, 0, "the proof in the cluster")
                reading.value = run_proof(session, plan)

            st.session_state[_key(cluster, plan.image)] = start((), work, verb="Running")
            st.rerun()


def _key(cluster: Cluster, image: str) -> str:
    return f"proof {cluster.id} {image}"


def show_proof(cluster: Cluster, registry: Registry, repository: str, reference: str) -> None:
    """The proof of this image that this session began, if it did."""
    image = f"{registry.login_server}/{image_name(repository, reference)}"
    reading: Reading[tuple[Proof, ...]] | None = st.session_state.get(_key(cluster, image))
    if reading is None:
        return
    st.subheader("Proof in the cluster", anchor=False)
    show_progress(reading, f"proof {cluster.id}")
    if reading.error:
        show_error(reading.error)
    for proof in reading.value:
        st.markdown(f"{_MARKS[proof.pulled]} **{plain(proof.architecture)}**")
        if proof.message:
            st.code(proof.message, language=None, wrap_lines=True)
