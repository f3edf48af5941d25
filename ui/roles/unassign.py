"""The role assignments of a registry, and the dialog that removes one."""

from collections.abc import Iterable, Sequence

import streamlit as st

from services.access.decisions import Decision, Verdict
from services.access.role_assignments import RoleAssignment, scope_label
from services.registries.registry import Registry
from services.roles.unassign import RemovalPlan, Removed, apply_removal, on_registry_itself, read_removal_plan
from ui.elements.columns import ago_column
from ui.elements.notices import dialog
from ui.elements.outcomes import WORDS
from ui.elements.selectable_table import selectable
from ui.elements.table import UTC
from ui.elements.text import plain
from ui.elements.writing import dialog_panel
from ui.loaders.principals import PrincipalNames
from ui.loaders.registries import BY_ID
from ui.roles import holders
from ui.runtime import connection
from ui.runtime.changes import confirm_and_run


def show_holders(who: str, registry: Registry) -> None:
    """All assignments that apply to the registry; a selected one that is on the registry itself can be removed."""
    found = holders.assignments(who, registry).value
    roles, names = holders.role_names(who, registry), holders.names(who, registry, st.query_params.get("principal", ""))
    rows = sorted(found.values, key=lambda one: (not on_registry_itself(registry, one), roles.get(one.role, one.role)))
    if not rows and found.refused:
        return
    if not rows:
        st.info("No role is assigned on this registry or above it.", icon=":material/person_off:")
        return
    one = selectable(
        rows,
        lambda one: _row(
            registry, one, roles.get(one.role, one.role), holders.label(who, names, one.principal_id), names
        ),
        f"holders {registry.id}",
        "Role assignments that apply to the registry, one per row",
        columns={
            "Principal": st.column_config.TextColumn(width=180),
            "Kind": st.column_config.TextColumn(width=190),
            "Role": st.column_config.TextColumn(width=170),
            "Scope": st.column_config.TextColumn(width=215),
            "Created": ago_column(),
            "Condition": st.column_config.TextColumn(width="small"),
        },
        types={"Created": UTC},
        identity=lambda one: one.id,
    )
    if one is None:
        st.caption("Press a name to remove its assignment. Inherited ones can only be removed at their scope.")
        return
    if on_registry_itself(registry, one):
        if st.button(f"Remove {plain(roles.get(one.role, one.role))}", icon=":material/person_remove:"):
            remove(who, registry, one)
    else:
        where = plain(names.with_names(scope_label(one.scope)))
        st.caption(f"Inherited from {where}: it can only be removed there.")


def _row(
    registry: Registry, one: RoleAssignment, role: str, principal: str, names: PrincipalNames
) -> dict[str, object]:
    here = on_registry_itself(registry, one)
    return {
        "Principal": principal,
        "Kind": names.role_in_clusters(one.principal_id) or names.kind(one.principal_id, one.principal_type),
        "Role": role,
        "Scope": "this registry" if here else names.with_names(scope_label(one.scope)).removeprefix("the "),
        "Created": one.created,
        "Condition": one.condition,
        "Description": one.description,
        "Object id": one.principal_id,
    }


@st.cache_data(ttl="30s", show_spinner="Planning", max_entries=50, hash_funcs=BY_ID)
def _plan(who: str, registry: Registry, assignment: RoleAssignment) -> RemovalPlan:
    return read_removal_plan(connection.session(who), registry, assignment)


@dialog("Remove role assignment", width="large")
def remove(who: str, registry: Registry, assignment: RoleAssignment) -> None:
    """Shows what the principal loses with one assignment and what it keeps, and removes it."""
    with dialog_panel():
        plan = _plan(who, registry, assignment)
        principal = holders.label(who, holders.names(who, registry), assignment.principal_id)
        st.markdown(
            f"**{plain(plan.role_name)}** of **{plain(principal)}** on **{plain(registry.name)}**.",
            help=f"Object id: `{assignment.principal_id}`",
        )
        show_left(plan.left)
        st.caption("Tokens that the registry issued before stay valid for up to three hours.")

        def forget() -> None:
            _plan.clear(who, registry, assignment)
            holders.forget(who, registry)

        confirm_and_run(
            plan,
            "Remove assignment",
            f"{principal} on {registry.name}",
            lambda report: apply_removal(connection.session(who), plan, report, own_last_too=plan.own_last),
            forget,
            lambda result: _removed(plan, result),
            typed=registry.name if plan.own_last else "",
            access=True,
        )


def show_left(left: Sequence[Decision]) -> None:
    """What the principal may still do afterwards of what the role gives, and why."""
    if not left:
        st.markdown("The role gives none of the permissions that this console checks.")
        return
    gone = [decision for decision in left if decision.verdict is Verdict.NO]
    lines = [f"- No longer: {_names(gone)}"] if gone else []
    by_reason: dict[str, list[Decision]] = {}
    for decision in left:
        if decision.verdict is not Verdict.NO:
            why = "; ".join(reason.label for reason in decision.granting)
            undetermined = (
                "; ".join(f"{reason.label}: {reason.why}" for reason in decision.undetermined) or decision.unread
            )
            word = {Verdict.YES: "Still", Verdict.SOME: "Still, on some repositories"}.get(decision.verdict, "Unknown")
            by_reason.setdefault(f"{word} ({plain(why or undetermined)})", []).append(decision)
    lines += [f"- {reason}: {_names(decisions)}" for reason, decisions in by_reason.items()]
    st.markdown("Afterwards the principal may:\n\n" + "\n".join(lines))


def _names(decisions: Iterable[Decision]) -> str:
    return ", ".join(decision.permission for decision in decisions)


def _removed(plan: RemovalPlan, result: Removed) -> str:
    still = [decision for decision in result.left or () if decision.verdict is not Verdict.NO]
    left = f" The principal may still, through other roles: {_names(still)}." if still else ""
    return f"{plain(plan.role_name)} on {plain(plan.registry.name)}: {WORDS[result.outcome]}.{left}"
