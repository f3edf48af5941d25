"""The dry run of a registry's switch to ABAC mode: which clusters stop, who loses what, and what to run, in order."""

from collections.abc import Sequence

import streamlit as st

from services.access.decisions import Verdict
from services.access.permissions import Permission
from services.access_review.abac_switch import ClusterEffect, Effect, SwitchPlan, plan_switch
from services.access_review.abac_switch_steps import steps_of
from services.access_review.role_successors import Use
from services.connection.resource_ids import same_id
from services.pull_checks.matrix import Pulls
from services.registries.registry import Mode, Registry
from services.wording import counted
from ui.access_review import principals
from ui.access_review.rights import SIGNS, reasons_of
from ui.elements.errors import show_error
from ui.elements.metrics import Metric, show_metrics
from ui.elements.page import empty
from ui.elements.selectable_table import selectable
from ui.elements.table import TEXTS
from ui.elements.text import plain
from ui.loaders.principals import PrincipalNames
from ui.runtime import connection

_LISTS = ("Loses", "Assign first", "Still loses", "Also gets", "Unknown", "Gains")
# A principal in several lists counts for the last.
_LABELS = {Use.PULL: "Who pulls", Use.PUSH: "Who pulls and pushes", Use.ALL: "Who needs all current permissions"}


def show_switch(who: str, pulls: Pulls, known: PrincipalNames, registry: Registry) -> None:
    """The dry run; it changes nothing."""
    if registry.access.mode is Mode.ABAC:
        empty(":material/task_alt:", "Already in ABAC mode", f"{plain(registry.name)} needs no switch.")
        return
    of_subscription = pulls.by_subscription.get(registry.subscription_id)
    if of_subscription is None:
        st.error(
            f"The role assignments of {plain(registry.subscription)} could not be read: who would lose what is "
            "unknown. Do not switch.",
            icon=":material/error:",
        )
        return
    for refusal in of_subscription.unread:
        show_error(refusal.error)
    st.markdown(
        f"A dry run: what each principal would lose or gain if **{plain(registry.name)}** were switched from Legacy to "
        "ABAC mode, where roles can be limited to repositories. Nothing is changed here."
    )
    groups = principals.show_groups(who, pulls, registry)

    def planned(uses: dict[str, Use]) -> SwitchPlan:
        return plan_switch(
            of_subscription.records,
            registry,
            pulls.clusters.values,
            groups=groups,
            uses=uses,
            memberships=pulls.memberships,
            gone=known.directory.missing,
        )

    at_first = planned({})
    missing = known.directory.missing
    undecided = [one for one in at_first.effects if one.to_decide and one.principal_id.lower() not in missing]
    above = st.container()
    uses = _ask_uses(undecided, known)
    plan = planned(uses) if uses else at_first
    with above:
        _show_numbers(plan, pulls)
        _show_clusters(plan, registry, known)
    _show_effects(plan, known)
    _show_steps(plan, known)


def _show_numbers(plan: SwitchPlan, pulls: Pulls) -> None:
    unsure = sum(bool(one.unsure) for one in plan.effects)
    unknown = sum(one.unsure for one in plan.clusters)
    unlisted = len(pulls.clusters.refused)
    clusters = [
        f"{counted(unknown, 'cluster')} unknown" if unknown else "",
        f"{counted(unlisted, 'subscription')} could not be read" if unlisted else "",
    ]
    show_metrics(
        [
            Metric(
                "Clusters that stop",
                sum(one.stops for one in plan.clusters),
                lacks="; ".join(part for part in clusters if part),
            ),
            Metric(
                "Principals losing access",
                sum(bool(one.loses) for one in plan.effects),
                lacks=f"{counted(unsure, 'principal')} unknown" if unsure else "",
            ),
            Metric("Unknown", unsure),
            Metric("Roles to assign", len(plan.assignments), lacks=f"{unsure:,} unknown" if unsure else ""),
        ]
    )


def _show_clusters(plan: SwitchPlan, registry: Registry, known: PrincipalNames) -> None:
    if registry.access.anonymous_pull:
        st.info("Anonymous pull is on: no cluster needs a role to pull, in either mode.", icon=":material/public:")
        return
    for one in plan.clusters:
        if one.stops:
            st.error(_stopping(one, known), icon=":material/cancel:")
    undetermined = [plain(one.cluster.name) for one in plan.clusters if one.unsure]
    if undetermined:
        missing = dict.fromkeys(part for one in plan.clusters if one.unsure for part in one.missing)
        st.warning(
            f"Unknown whether {', '.join(undetermined)} would stop pulling: {plain('; '.join(missing))}.",
            icon=":material/help:",
        )
    if not any(one.stops or one.unsure for one in plan.clusters):
        st.success("No known cluster would stop pulling.", icon=":material/check_circle:")


def _stopping(one: ClusterEffect, known: PrincipalNames) -> str:
    had = plain(known.with_names(one.before.granting[0].label)) if one.before and one.before.granting else "its role"
    kept = "The roles below prevent that." if one.kept else "The roles below do not fully prevent that."
    return f"**{plain(one.cluster.name)}** would stop pulling: {had}, is ignored in ABAC mode. {kept}"


def _ask_uses(undecided: Sequence[Effect], known: PrincipalNames) -> dict[str, Use]:
    """Asks what principals with general roles do with images, which no role assignment shows."""
    if not undecided:
        return {}
    st.subheader("Who uses images", anchor=False)
    st.markdown(
        f"{counted(len(undecided), 'principal')} can use images through a general role such as Reader, Contributor or "
        "Owner. In ABAC mode these roles give no access to images. Role assignments do not show who uses images: "
        "choose those who do, to plan a role for them."
    )
    names = {one.principal_id.lower(): known.name(one.principal_id) for one in undecided}
    uses: dict[str, Use] = {}
    for column, (use, label) in zip(st.columns(len(_LABELS)), _LABELS.items(), strict=True):
        with column:
            chosen = st.multiselect(
                label,
                list(names),
                format_func=names.__getitem__,
                key=use.name.lower(),
                placeholder="Nobody",
                bind="query-params",
            )
            uses |= dict.fromkeys(chosen, use)
    return uses


def _show_effects(plan: SwitchPlan, known: PrincipalNames) -> None:
    st.subheader("Who loses what", anchor=False)
    if not plan.effects:
        st.success("Nobody: the switch changes no principal's permissions.", icon=":material/check_circle:")
        return
    mine = connection.current().identity.object_id
    for own in plan.effects:
        if same_id(own.principal_id, mine) and own.loses:
            st.warning(f"You would also lose: {_words(own.loses)}.", icon=":material/person_alert:")
    chosen = selectable(
        plan.effects,
        lambda one: _row(one, known),
        f"effects on {plan.registry.id}",
        "Principals that the switch affects, one per row, those that pull for clusters first",
        columns={
            **{name: st.column_config.ListColumn(width="medium") for name in _LISTS},
        },
        types=dict.fromkeys(_LISTS, TEXTS),
        identity=lambda one: one.principal_id,
    )
    gone = sum(one.principal_id.lower() in known.directory.missing for one in plan.effects)
    left_out = (
        f" {counted(gone, 'principal is', 'principals are')} not in the directory, deleted or of another tenant: no "
        "role is suggested for them."
    )
    st.caption(f"Select a row to see which assignment gives what, before and after.{left_out if gone else ''}")
    if chosen:
        _show_one(chosen, known)


def _row(one: Effect, known: PrincipalNames) -> dict[str, object]:
    return {
        "Principal": known.name(one.principal_id),
        "Kind": known.kind(one.principal_id, one.kind),
        "Loses": [str(wanted) for wanted in one.loses],
        "Assign first": [new.role_name.removeprefix("Container Registry ") for new in one.assignments],
        "Still loses": [str(wanted) for wanted in one.remains],
        "Also gets": [str(wanted) for wanted in one.more],
        "Unknown": [str(wanted) for wanted in one.unsure],
        "Gains": [str(wanted) for wanted in one.gains],
        "Pulls for": ", ".join(one.pulls_for),
        "Object id": one.principal_id,
    }


def _show_one(one: Effect, known: PrincipalNames) -> None:
    with st.container(border=True):
        st.subheader(plain(known.name(one.principal_id)), anchor=False)
        st.code(one.principal_id, language=None)
        nothing = []
        for before, after, then in zip(one.before, one.after, one.then, strict=True):
            if {before.verdict, after.verdict, then.verdict} == {Verdict.NO}:
                nothing.append(before.permission)
                continue
            st.markdown(
                f"**{before.permission.capitalize()}**: {SIGNS[before.verdict]} now, {SIGNS[after.verdict]} after the "
                f"switch, {SIGNS[then.verdict]} with the roles below\n{reasons_of(before, known)}"
            )
        if nothing:
            st.markdown(f"Neither before nor after: {_words(nothing)}.")


def _words(permissions: Sequence[Permission]) -> str:
    return ", ".join(permissions)


def _show_steps(plan: SwitchPlan, known: PrincipalNames) -> None:
    st.subheader("Steps", anchor=False)
    for number, step in enumerate(steps_of(plan, known.name), 1):
        st.markdown(f"**{number}. {step.title}.** {step.words}")
        if step.lines:
            st.code("\n".join(step.lines), language=None, wrap_lines=True)
