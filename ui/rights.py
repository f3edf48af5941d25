"""What principals may do, as a table, and one of them in words: shared by the views of access."""

from collections.abc import Callable, Sequence

import streamlit as st

from services.decisions import Decision, Verdict
from services.registry_permissions import Permission
from services.who_can import ASKED, Rights
from ui.table import page_of, table_height, table_of
from ui.text import plain

SIGNS = {Verdict.YES: "✓ yes", Verdict.SOME: "◐ some", Verdict.UNKNOWN: "? can't be told", Verdict.NO: "✗ no"}
_BADGES = {
    Verdict.YES: ":orange-badge[:material/check: yes]",
    Verdict.SOME: ":orange-badge[:material/contrast: some repositories]",
    Verdict.UNKNOWN: ":gray-badge[:material/help: can't be told]",
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


def show_rights(rights: Sequence[Rights], first: Columns, key: str, alt: str, *, last: Columns) -> Rights | None:
    """A row each; returns the one that is selected. `first` are the columns before the permissions, of which the
    leftmost stays in sight, `last` those after them."""
    rows, page = page_of(rights, key)
    selected = st.dataframe(
        table_of([_row(one, first, last) for one in rows]),
        key=f"{key} {page}",
        height=table_height(len(rows)),
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        placeholder="–",
        alt=alt,
        column_config={
            next(iter(first)): st.column_config.TextColumn(pinned=True),
            "Look first": st.column_config.ListColumn(width="medium"),
            "By": st.column_config.ListColumn(width="large", help="The roles that give it, and from where"),
        },
    )
    return rows[selected.selection.rows[0]] if selected.selection.rows else None


def _row(one: Rights, first: Columns, last: Columns) -> dict[str, object]:
    verdicts = {decision.permission: SIGNS[decision.verdict] for decision in one.decisions}
    by = dict.fromkeys(reason.words for decision in one.decisions for reason in (*decision.because, *decision.untold))
    return {
        **{name: cell(one) for name, cell in first.items()},
        "Look first": [f"{'' if found.sure else 'maybe '}{found.danger}" for found in one.dangers],
        **{HEADS[wanted]: verdicts.get(wanted, "? not read") for wanted in ASKED},
        "By": list(by),
        **{name: cell(one) for name, cell in last.items()},
    }


def show_reasons(one: Rights) -> None:
    """Its dangers, then each permission with all that bears on it."""
    for found in one.dangers:
        certain = "" if found.sure else "It can't be told for certain: "
        st.warning(f"{certain}{plain(found.why)}", icon=":material/priority_high:")
    if one.unread:
        st.info(plain(one.unread), icon=":material/help:")
    for decision in one.decisions:
        _show(decision)


def _show(decision: Decision) -> None:
    lines = [f"{_BADGES[decision.verdict]} **{decision.permission.capitalize()}**"]
    lines += [f"- {plain(sentence)}" for sentence in decision.said]
    if not decision.said:
        lines.append("- No role that it holds is about this.")
    st.markdown("\n".join(lines))
