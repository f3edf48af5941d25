"""What principals may do: a table of all, and the reasons for one."""

from collections.abc import Callable, Sequence

import streamlit as st

from services.access.decisions import Decision, Verdict
from services.access.permissions import Permission
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
_BADGES = {
    Verdict.YES: ":orange-badge[:material/check: yes]",
    Verdict.SOME: ":orange-badge[:material/contrast: some repositories]",
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
            "Privileged": st.column_config.ListColumn(width="medium"),
            "Denied by": st.column_config.ListColumn(help="Deny assignments that take some of it away, or may do so"),
            "Granted by": st.column_config.ListColumn(width="large", help="The roles that grant it, with their scope"),
        },
        types=dict.fromkeys(("Privileged", "Granted by", "Denied by"), TEXTS),
        identity=lambda one: (one.principal_id, one.registry.id),
    )


def _row(
    one: Rights, known: PrincipalNames, first: Columns, last: Columns, asked: Sequence[Permission]
) -> dict[str, object]:
    shown = asked or ASKED
    decisions = [decision for decision in one.decisions if decision.permission in shown]
    verdicts = {decision.permission: SIGNS[decision.verdict] for decision in decisions}
    by = dict.fromkeys(
        reason.label for decision in decisions for reason in (*decision.granting, *decision.undetermined)
    )
    granted = {"Granted by": [known.with_names(words) for words in by]}
    privileged = {"Privileged": [f"{'' if found.sure else 'maybe '}{found.danger}" for found in one.dangers]}
    return {
        **{name: cell(one) for name, cell in first.items()},
        **({} if asked else privileged),
        **{HEADS[wanted]: verdicts.get(wanted, "? not read") for wanted in shown},
        **granted,
        **(privileged if asked else {}),
        "Denied by": list(dict.fromkeys(one.deny.name for decision in decisions for one in decision.denials)),
        **{name: cell(one) for name, cell in last.items()},
    }


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
