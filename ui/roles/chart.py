"""What each role allows, as squares: a row for each role, a column for each right."""

from collections.abc import Sequence
from html import escape
from textwrap import wrap

import plotly.graph_objects as go

from services.access.permissions import Permission
from services.access.rights import DANGERS, SIGN_IN_RULES, SignIn
from services.roles.table import RoleRow
from ui.elements.chart_theme import MEANINGS, Meaning, layout, palette

YES, LEADS, IDENTITY, NO = "✓", "⚠", "◐", "–"
SIGN_IN = {SignIn.YES: YES, SignIn.IDENTITY: IDENTITY, SignIn.NO: NO}
SIGN_IN_COLUMN = "Sign in"
LEGEND = f"{YES} yes · {LEADS} yes, and it leads to more access · {IDENTITY} identity only · {NO} no"
ROW_PX, HEAD_PX = 48, 170
# Narrow enough to leave room for the squares on a phone.
NAME_CHARACTERS = 29
_ORDER = (NO, IDENTITY, YES, LEADS)


def column(permission: Permission) -> str:
    """The heading of a permission's column."""
    return permission.capitalize()


def sign(row: RoleRow, permission: Permission) -> str:
    """The sign in the row's cell of a permission."""
    if permission not in row.rights:
        return NO
    return LEADS if permission in DANGERS else YES


def roles_figure(rows: Sequence[RoleRow], theme: str) -> go.Figure:
    """A square for signing in and for each permission of each role."""
    colours = palette(theme)
    signs = [[SIGN_IN[row.sign_in], *(sign(row, permission) for permission in Permission)] for row in rows]
    columns = (SIGN_IN_COLUMN, *(column(permission) for permission in Permission))
    attention = MEANINGS[theme][Meaning.ATTENTION][0]
    fill = (colours.panel, colours.series[2], colours.series[0], attention)
    steps = [(edge / len(_ORDER), colour) for number, colour in enumerate(fill) for edge in (number, number + 1)]
    squares = go.Heatmap(
        x=[str(number) for number in range(len(columns))],
        y=[str(number) for number in range(len(rows))],
        z=[[_ORDER.index(one) for one in row] for row in signs],
        zmin=-0.5,
        zmax=len(_ORDER) - 0.5,
        colorscale=steps,
        showscale=False,
        xgap=2,
        ygap=2,
        text=signs,
        texttemplate="%{text}",
        customdata=[[_of_sign_in(row), *(_of(row, permission) for permission in Permission)] for row in rows],
        hovertemplate="%{customdata}<extra></extra>",
    )
    return go.Figure(
        squares,
        layout(
            colours,
            HEAD_PX + ROW_PX * len(rows),
            xaxis={
                "tickvals": [str(number) for number in range(len(columns))],
                "ticktext": [escape(name) for name in columns],
                "tickangle": -90,
                "side": "top",
                "showgrid": False,
                "type": "category",
            },
            yaxis={
                "tickvals": [str(number) for number in range(len(rows))],
                "ticktext": [_lines(row.role.name, NAME_CHARACTERS) for row in rows],
                "tickfont": {"size": 11},
                "autorange": "reversed",
                "showgrid": False,
                "type": "category",
            },
        ),
    )


def _of_sign_in(row: RoleRow) -> str:
    return _hover(row, SIGN_IN_COLUMN, row.sign_in, SIGN_IN_RULES[row.mode])


def _of(row: RoleRow, permission: Permission) -> str:
    given = permission in row.rights
    return _hover(row, column(permission), "yes" if given else "no", DANGERS.get(permission, "") if given else "")


def _hover(row: RoleRow, what: str, answer: str, why: str) -> str:
    return f"{escape(row.role.name)}<br>{escape(what)}: {answer}<br>{_lines(why, 60)}"


def _lines(text: str, width: int) -> str:
    return "<br>".join(escape(line) for line in wrap(text, width))
