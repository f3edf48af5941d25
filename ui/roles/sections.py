"""The tables of the page Roles: what each role allows, and the guide's tables beside today's facts."""

from collections.abc import Mapping, Sequence

import streamlit as st

from services.access.permissions import Permission
from services.access.rights import ALL_RIGHTS, AZ_LOGIN_RULE, SIGN_IN_RULES, SignIn
from services.access.role_definitions import RoleDefinition
from services.images.tagging import UNTAG_RULE
from services.registries.registry import Mode
from services.roles.table import GUIDE, NOT_IN_GUIDE, GuideCell, RoleRow, compare_guide, guide_uses, role_table
from services.wording import counted
from ui.elements.chart_theme import show_chart, theme_now
from ui.elements.page import empty
from ui.elements.table import show_rows
from ui.elements.text import plain
from ui.navigation.url_choice import check_url
from ui.roles.chart import LEGEND, SIGN_IN, SIGN_IN_COLUMN, column, roles_figure, sign

# Up to so many roles, the descriptions are open.
FEW = 4


def show_roles(mode: Mode, roles: Mapping[str, RoleDefinition]) -> None:
    """The roles that match the filters, in one mode, as a chart and as a table."""
    check_url("gives", "right", [right.value for right in ALL_RIGHTS])
    with st.container(horizontal=True, vertical_alignment="bottom"):
        search = st.text_input("Search", key="search", type="search", placeholder="Role or word", bind="query-params")
        gives = st.multiselect(
            "Right",
            [right.value for right in ALL_RIGHTS],
            key="gives",
            bind="query-params",
            placeholder="Anything",
        )
    text = (search or "").casefold().strip()
    shown = [row for row in role_table(mode, roles) if text in _text(row) and row.rights.issuperset(gives)]
    if not shown:
        empty(":material/filter_alt_off:", "No role matches", "Clear the search or the filter above.")
        return
    st.markdown(f":small[{LEGEND}]", help=f"{SIGN_IN_RULES[mode]} {AZ_LOGIN_RULE} {UNTAG_RULE}")
    drawn = [row for row in shown if _has_column(row)]
    if drawn:
        show_chart(
            roles_figure(drawn, theme_now()),
            f"What each role allows in {mode} mode: a row for each role, a column for each right. The table below has "
            "the same, with descriptions.",
        )
    without = [row.role.name for row in shown if not _has_column(row)]
    if without:
        with st.expander(f"{counted(len(without), 'role')} without any of these rights in {mode} mode"):
            st.markdown(plain(", ".join(without)))
    with st.expander("Descriptions", icon=":material/notes:", expanded=len(shown) <= FEW):
        st.markdown("\n".join(_in_words(row) for row in shown))
    with st.expander("Table", icon=":material/table:"):
        _show_table(shown, mode)


def _show_table(shown: Sequence[RoleRow], mode: Mode) -> None:
    show_rows(
        [
            {
                "Role": row.role.name,
                SIGN_IN_COLUMN: f"{SIGN_IN[row.sign_in]} {row.sign_in}",
                **{column(permission): sign(row, permission) for permission in Permission},
                "Also": ", ".join(row.extras),
                "Use": f"Ignored in {mode} mode" if row.ignored else row.words.use,
                "Caution": row.words.trap,
                "Role id": row.role.id,
            }
            for row in shown
        ],
        f"What each role allows in {mode} mode, one role per row",
        key="roles",
        columns={
            "Role": st.column_config.TextColumn(width="medium"),
            "Also": st.column_config.TextColumn(width="medium"),
            "Use": st.column_config.TextColumn(width="large"),
            "Caution": st.column_config.TextColumn(width="large"),
        },
    )


def _has_column(row: RoleRow) -> bool:
    """Whether the role gives a permission, which the chart has a column for; signing in alone is none."""
    return bool(row.rights & frozenset(Permission))


def _in_words(row: RoleRow) -> str:
    also = f" Also: {', '.join(row.extras)}." if row.extras else ""
    return f"- **{plain(row.role.name)}**: {plain(f'{row.words.use} {row.words.trap}{also}')}"


def _text(row: RoleRow) -> str:
    parts = (row.role.name, row.words.use, row.words.trap, row.role.id, *sorted(row.rights))
    return " ".join(parts).casefold()


def show_guide(roles: Mapping[str, RoleDefinition]) -> None:
    """Both tables of the guide, each beside what is true today."""
    st.subheader("The guide's table of roles, today", anchor=False)
    show_rows(
        [_guide_row(mode, number, roles) for number in range(len(GUIDE)) for mode in Mode],
        "The guide's table of roles beside today's facts, one row per role and mode",
        key="guide",
        columns={
            "Why": st.column_config.TextColumn(width="large"),
        },
    )
    for row in GUIDE:
        _, why = compare_guide(row, Mode.ABAC, roles)
        st.markdown(f"- **{row.name}**: {plain(row.left_out)} {plain(why)}")
    for sentence in NOT_IN_GUIDE:
        st.markdown(f"- {plain(sentence)}")
    st.subheader("The guide's use cases, today", anchor=False)
    uses = guide_uses(roles)
    show_rows(
        [
            {
                "Use case": use.use,
                "Guide": use.guide,
                **{f"Least in {mode} mode": " + ".join(use.today[mode]) for mode in Mode},
            }
            for use in uses
        ],
        "The guide's use cases, its roles and the least roles of today",
        key="guide uses",
        columns={f"Least in {mode} mode": st.column_config.TextColumn(width="medium") for mode in Mode},
    )
    for use in uses:
        if use.note:
            st.markdown(f"- **{use.use}**: {use.note}")


def _guide_row(mode: Mode, number: int, roles: Mapping[str, RoleDefinition]) -> dict[str, str]:
    row = GUIDE[number]
    cells, why = compare_guide(row, mode, roles)
    return {
        "Role": row.name,
        "Mode": mode.value,
        **{cell.what: _cell(cell) for cell in cells},
        "Why": why,
    }


def _cell(cell: GuideCell) -> str:
    today = f"{SIGN_IN[SignIn(cell.today)]} {cell.today}"
    return f"≠ {today} (guide: {'yes' if cell.guide else 'no'})" if cell.differs else today
