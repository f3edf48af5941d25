"""Attaching several pairs at once: a plan and a result for each."""

from collections.abc import Sequence

import streamlit as st

from services.aks.attach import AttachPlan, apply_attach, read_attach_plan
from services.connection.parallel import Partial, parallel_map
from services.jobs.changes import Change
from services.pull_checks.matrix import Pair
from services.wording import counted
from ui.elements.errors import Part, panel, show_partial
from ui.elements.outcomes import label, results_list
from ui.elements.table import show_rows
from ui.elements.writing import PlainPlan, confirm, counted_action
from ui.loaders import clusters
from ui.roles.requests import close_requests
from ui.runtime import connection
from ui.runtime.changes import run

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


@st.dialog("Attach registries", width="large")
def attach_many(who: str, pairs: Sequence[Pair]) -> None:
    """The plan of all, then the result of each."""
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
            _apply(who, action, ready, chosen)


def _apply(who: str, action: str, plans: Sequence[AttachPlan], pairs: tuple[Pair, ...]) -> None:
    session = connection.session(who)

    def forget() -> None:
        _plans.clear(who, pairs)
        clusters.forget_pulls(who)

    change = Change(
        "Assign roles",
        counted(len(plans), "cluster and registry", "clusters and registries"),
        tuple(line for plan in plans for line in plan.commands),
    )
    done = run(
        action,
        change,
        lambda _report: parallel_map(lambda plan: (plan, apply_attach(session, plan)), plans, name=_name),
        forget,
        lambda done: results_list((*((_name(plan), result.outcome) for plan, result in done.values),), done.refused),
    )
    for plan, result in done.values:
        if result.outcome.is_done:
            close_requests(who, plan)
    show_partial(Part(done, "pair"), verb="attached")
    show_rows(
        [
            {"Cluster": plan.cluster.name, "Registry": plan.registry.name, "Result": label(result.outcome)}
            for plan, result in done.values
        ],
        "Results, one pair per row",
    )
    st.caption("Each assignment was verified. A new role takes up to ten minutes to take effect.")
