"""Several pairs attached at once: one plan, one result each."""

from collections.abc import Sequence

import streamlit as st

from services.aks.attach import AttachPlan, apply_attach, read_attach_plan
from services.connection.parallel import Partial, parallel_map
from services.pull_checks.matrix import Pair
from services.wording import counted
from ui.elements.errors import show_refused
from ui.elements.outcomes import label
from ui.elements.table import show_rows
from ui.elements.writing import may_write, show_read_only
from ui.loaders import clusters
from ui.runtime import connection

# More would take minutes, and nobody reads so long a plan.
MOST = 50


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
    return parallel_map(lambda pair: read_attach_plan(session, pair.cluster, pair.registry), pairs, name=_name)


@st.dialog("Attach", width="large")
def attach_many(who: str, pairs: Sequence[Pair]) -> None:
    """The plan of all, then the result of each."""
    chosen = tuple(pairs[:MOST])
    if len(pairs) > MOST:
        st.warning(f"The first {MOST} of {len(pairs):,} are planned.", icon=":material/warning:")
    plans = _plans(who, chosen)
    show_refused(plans, "plan", "plans")
    ready = [plan for plan in plans.values if not plan.nothing_to_do and not plan.blockers]
    show_rows(
        [
            {
                "Cluster": plan.cluster.name,
                "Registry": plan.registry.name,
                "Role": plan.role_name,
                "Principal id": plan.principal_id,
                "Plan": "nothing to do" if plan.nothing_to_do else "blocked" if plan.blockers else "assign",
                "Reason": " ".join((*plan.blockers, *plan.warnings, *(reason.words for reason in plan.granted))),
            }
            for plan in plans.values
        ],
        "What would be assigned, a pair a row",
    )
    show_read_only()
    label = f"Assign {counted(len(ready), 'role')}"
    if st.button(label, type="primary", disabled=not ready or not may_write()):
        _apply(who, ready, chosen)


def _apply(who: str, plans: Sequence[AttachPlan], pairs: tuple[Pair, ...]) -> None:
    session = connection.session(who)
    try:
        done = parallel_map(lambda plan: (plan, apply_attach(session, plan)), plans, name=_name)
    finally:  # Also what failed may have been done.
        _plans.clear(who, pairs)
        clusters.forget_pulls(who)
    show_refused(done, "pair", "pairs")
    show_rows(
        [
            {"Cluster": plan.cluster.name, "Registry": plan.registry.name, "Result": label(result.outcome)}
            for plan, result in done.values
        ],
        "The result of each pair",
    )
    st.caption("Read back after each. A new role takes up to ten minutes until registries know of it.")
