"""What principals may do: a table of all, and the reasons for one."""

from collections.abc import Callable, Sequence

import streamlit as st

from services.access.decisions import Decision, Reason, Verdict
from services.access.permissions import Permission
from services.access.role_assignments import scope_label
from services.access_review.who_can import ASKED, Rights
from ui.elements.selectable_table import selectable
from ui.elements.table import TEXTS
from ui.elements.text import plain
from ui.loaders.principals import PrincipalNames

# What a question names otherwise than a column does.
QUESTIONS = {
    Permission.PULL: "Pull",
    Permission.PUSH: "Push",
    Permission.DELETE: "Delete",
    Permission.LIST_CATALOG: "List repositories",
    Permission.CHANGE_LOCKS: "Change locks",
    Permission.WRITE_REGISTRY: "Manage the registry",
    Permission.LIST_CREDENTIALS: "Read the admin password",
    Permission.ASSIGN_ROLES: "Change access",
}
SIGNS = {Verdict.YES: "✓ yes", Verdict.SOME: "◐ some", Verdict.UNKNOWN: "? unknown", Verdict.NO: "✗ no"}
# In a cell, below a column's heading. A dash is what is not known elsewhere.
_MARKS = {Verdict.YES: "✓", Verdict.SOME: "◐", Verdict.UNKNOWN: "?", Verdict.NO: "✗"}
LEGEND = "✓ yes · ◐ some repositories · ? unknown · ✗ no"
# Only a danger is a judgement, and has a colour with a meaning.
_BADGES = {
    Verdict.YES: ":primary-badge[:material/check: yes]",
    Verdict.SOME: ":primary-badge[:material/contrast: some repositories]",
    Verdict.UNKNOWN: ":gray-badge[:material/help: unknown]",
    Verdict.NO: ":gray-badge[:material/close: no]",
}
HEADS = {
    Permission.PULL: "Pull",
    Permission.PUSH: "Push",
    Permission.DELETE: "Delete",
    Permission.LIST_CATALOG: "List",
    Permission.CHANGE_LOCKS: "Locks",
    Permission.WRITE_REGISTRY: "Manage",
    Permission.LIST_CREDENTIALS: "Admin password",
    Permission.ASSIGN_ROLES: "Assign roles",
}
# The columns' widths in pixels: all of them, the name and what grants it are seen without scrolling.
_WIDTHS = {
    Permission.PULL: 46,
    Permission.PUSH: 50,
    Permission.DELETE: 60,
    Permission.LIST_CATALOG: 46,
    Permission.CHANGE_LOCKS: 58,
    Permission.WRITE_REGISTRY: 70,
    Permission.LIST_CREDENTIALS: 78,
    Permission.ASSIGN_ROLES: 60,
}
_SHORT = {Permission.LIST_CREDENTIALS: "Password", Permission.ASSIGN_ROLES: "Assign"}
_NAME_PX, _GRANTED_PX = 165, 210
Columns = dict[str, Callable[[Rights], str]]


def show_rights(
    rights: Sequence[Rights],
    known: PrincipalNames,
    key: str,
    alt: str,
    *,
    first: Columns,
    last: Columns,
    asked: Sequence[Permission] = (),
) -> Rights | None:
    """A row each; returns the one that is selected. `first` are the columns before the permissions, `last` those after
    them. `asked`: the permissions to show, with what grants these; all of them where it is empty."""
    return selectable(
        rights,
        lambda one: _row(one, known, first, last, asked),
        key,
        alt,
        columns={
            next(iter(first)): st.column_config.TextColumn(width=_NAME_PX),
            "Granted by": st.column_config.TextColumn(
                width="large" if asked else _GRANTED_PX, help="The roles that grant it, with their scope"
            ),
            **{
                _head(wanted): st.column_config.TextColumn(
                    width=None if asked else _WIDTHS[wanted], alignment="center", help=QUESTIONS[wanted]
                )
                for wanted in ASKED
            },
            "Privileged": st.column_config.ListColumn(width="large"),
            "Denied by": st.column_config.ListColumn(help="Deny assignments that take some of it away, or may do so"),
        },
        types=dict.fromkeys(("Privileged", "Denied by"), TEXTS),
        identity=lambda one: (one.principal_id, one.registry.id),
    )


def _row(
    one: Rights, known: PrincipalNames, first: Columns, last: Columns, asked: Sequence[Permission]
) -> dict[str, object]:
    shown = asked or ASKED
    decisions = [decision for decision in one.decisions if decision.permission in shown]
    verdicts = {decision.permission: _MARKS[decision.verdict] for decision in decisions}
    by = dict.fromkeys(
        _label(reason) for decision in decisions for reason in (*decision.granting, *decision.undetermined)
    )
    granted = {"Granted by": known.with_names("; ".join(by)) or None}
    privileged = {"Privileged": [f"{'' if found.sure else 'maybe '}{found.danger}" for found in one.dangers]}
    return {
        **{name: cell(one) for name, cell in first.items()},
        **{_head(wanted): verdicts.get(wanted, _MARKS[Verdict.UNKNOWN]) for wanted in shown},
        **granted,
        **privileged,
        "Denied by": list(dict.fromkeys(one.deny.name for decision in decisions for one in decision.denials)),
        **{name: cell(one) for name, cell in last.items()},
    }


def _label(reason: Reason) -> str:
    """A role assignment in a cell, what tells it from others first: 'AcrPull, resource group hub-rg, by group GUID'."""
    where = scope_label(reason.assignment.scope).removeprefix("the ") if reason.inherited else "this registry"
    group = f", by group {reason.group}" if reason.group else ""
    return f"{reason.role}, {where}{group}{', under a condition' if reason.assignment.condition else ''}"


def _head(wanted: Permission) -> str:
    return _SHORT.get(wanted, HEADS[wanted])


def show_reasons(one: Rights, known: PrincipalNames) -> None:
    """Why it is privileged, then each permission with the reasons of its decision."""
    dangers = [f"{'' if found.sure else 'Possibly: '}{known.with_names(found.why)}" for found in one.dangers]
    if dangers:
        st.warning("\n".join(f"- {plain(danger)}" for danger in dangers), icon=":material/priority_high:")
    if one.unread:
        st.info(plain(one.unread), icon=":material/help:")
    silent = [decision for decision in one.decisions if not decision.sentences]
    for decision in one.decisions:
        if decision in silent:
            continue
        st.markdown(
            f"{_BADGES[decision.verdict]} **{decision.permission.capitalize()}**\n{reasons_of(decision, known)}"
        )
    if silent:
        names = ", ".join(decision.permission for decision in silent)
        st.markdown(f"{_BADGES[Verdict.NO]} **{names.capitalize()}**: none of its roles covers this.")


def reasons_of(decision: Decision, known: PrincipalNames) -> str:
    """The reasons of a decision, as a list in Markdown."""
    said = "\n".join(f"- {plain(known.with_names(sentence))}" for sentence in decision.sentences)
    return said or "- None of its roles covers this."
