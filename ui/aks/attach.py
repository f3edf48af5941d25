"""Dialogs that attach a registry to a cluster or detach it, and the wait until a new role takes effect."""

import time
from dataclasses import dataclass

import streamlit as st

from services.access.repository_scope import ALL, RepositoryChoice, choice_from
from services.aks.attach import Attached, AttachPlan, apply_attach, read_attach_plan
from services.aks.clusters import Cluster
from services.aks.detach import Detached, apply_detach, attachments, read_detach_plan
from services.aks.puller import PullerAccess
from services.registries.registry import Mode, Registry
from ui.elements.notices import dialog, ticking
from ui.elements.outcomes import WORDS
from ui.elements.text import as_option, plain
from ui.elements.writing import close_button, dialog_panel
from ui.loaders import clusters
from ui.loaders.principals import names_at
from ui.loaders.registries import BY_ID
from ui.roles.grant_dialog import confirm_grant
from ui.runtime import connection
from ui.runtime.changes import confirm_and_run

# https://learn.microsoft.com/azure/role-based-access-control/troubleshooting#symptom---role-assignment-changes-are-not-being-detected
PROPAGATION_S = 600
ATTACH, DETACH = "Attach registry", "Detach registry"


@dataclass(frozen=True)
class _AttachTime:
    """When this session attached a pair."""

    at: float


@st.cache_data(ttl="30s", show_spinner="Planning", max_entries=50, hash_funcs=BY_ID)
def _attach_plan(
    who: str, cluster: Cluster, registry: Registry, choice: RepositoryChoice, principal_id: str
) -> AttachPlan:
    return read_attach_plan(connection.session(who), cluster, registry, choice, principal_id=principal_id)


@dialog("Attach registry", width="large")
def attach(who: str, cluster: Cluster, registry: Registry, principal_id: str) -> None:
    """Shows the plan of the role assignment and applies it; without the right to assign, there is a request to send.
    `principal_id`: of a service principal, else ""."""
    with dialog_panel():
        choice = _choose_repositories(registry)
        if choice is None:
            st.info("Name at least one repository.", icon=":material/info:")
            close_button()
            return
        plan = _attach_plan(who, cluster, registry, choice, principal_id)
        st.markdown(
            f"**{plain(plan.role_name)}** for the {cluster.puller.kind} of **{plain(cluster.name)}** on "
            f"**{plain(registry.name)}**, for {plain(choice.label)}. The cluster itself is not updated."
        )
        if plan.nothing_to_do:
            given = plan.granted[0].label if plan.granted else "the same assignment"
            names = names_at(who, clusters.pulls(who).value, registry)
            given = plain(names.with_names(given))
            st.success(f"Nothing to do: it can already pull through {given}.", icon=":material/check_circle:")

        def forget() -> None:
            _attach_plan.clear(who, cluster, registry, choice, principal_id)
            clusters.forget_pulls(who)

        confirm_grant(
            who,
            plan,
            lambda report: apply_attach(connection.session(who), plan, report),
            forget,
            lambda result: _attached(plan, result),
            whose=f"the {cluster.puller.kind} of the cluster {cluster.name}",
            label=ATTACH,
        )


def _choose_repositories(registry: Registry) -> RepositoryChoice | None:
    """All, or in ABAC mode the named ones; None where only some may be pulled, and none is named yet."""
    if registry.access.mode is Mode.LEGACY:
        return ALL
    every, some = "All repositories", "Some repositories"
    if (
        st.segmented_control("Can pull from", [every, some], default=every, required=True, format_func=as_option)
        != some
    ):
        return ALL
    text = st.text_input(
        "Repositories",
        placeholder="team/app, backend/",
        help="Names, or prefixes with their slash",
    )
    choice = choice_from(text or "")
    return None if choice == ALL else choice


def _attached(plan: AttachPlan, result: Attached) -> str:
    st.session_state[_key(plan.cluster, plan.registry)] = _AttachTime(time.time())
    return f"Role assignment on {plain(plan.registry.name)}: {WORDS[result.outcome]}."


@dialog("Detach registry", width="large")
def detach(who: str, cluster: Cluster, registry: Registry, access: PullerAccess) -> None:
    """Shows what the cluster can still pull through without its assignment on the registry, and removes it."""
    with dialog_panel():
        by_label = {f"{one.name} ({one.id.rpartition('/')[2][:8]})": one for one in attachments(registry, access)}
        chosen = by_label[st.selectbox("Assignment", list(by_label))].id if len(by_label) > 1 else ""
        session = connection.session(who)
        plan = read_detach_plan(session, cluster, registry, chosen, principal_id=access.principal_id)
        if plan.left.granting:
            names = names_at(who, clusters.pulls(who).value, registry)
            still = "\n".join(f"- {plain(names.with_names(reason.label))}" for reason in plan.left.granting)
            st.markdown(f"The cluster can still pull through:\n\n{still}")
        elif not plan.blockers:
            st.markdown("Afterwards no known role lets the cluster pull.")

        def done(result: Detached) -> str:
            st.session_state.pop(_key(cluster, registry), None)
            return f"Role assignment on {plain(registry.name)}: {WORDS[result.outcome]}."

        confirm_and_run(
            plan,
            DETACH,
            f"{cluster.name} on {registry.name}",
            lambda report: apply_detach(session, plan, report),
            lambda: clusters.forget_pulls(who),
            done,
            effect=plan.assignment,
            access=True,
        )


def _key(cluster: Cluster, registry: Registry) -> str:
    return f"attached {cluster.id} {registry.id}"


def show_propagation(cluster: Cluster, registry: Registry) -> None:
    """How long a new assignment can still take, in its first ten minutes."""
    since: _AttachTime | None = st.session_state.get(_key(cluster, registry))
    if since and time.time() - since.at < PROPAGATION_S:
        _countdown(since.at)


@ticking(5.0)
def _countdown(since: float) -> bool:
    left = max(PROPAGATION_S - (time.time() - since), 0)
    minutes, seconds = divmod(round(left), 60)
    st.progress(
        1 - left / PROPAGATION_S,
        text=f"A new role takes up to ten minutes to take effect: at most {minutes}:{seconds:02} left. "
        "Nodes retry failed pulls automatically.",
    )
    return False
