"""The squares of the roles' chart, on what roles give."""

from dataclasses import replace
from typing import Any

import pytest

from services.access.permissions import Permission
from services.registries.registry import Mode
from services.roles.table import RoleRow, role_table
from ui.roles.chart import IDENTITY, LEADS, NO, SIGN_IN_COLUMN, YES, column, roles_figure

THEMES = pytest.mark.parametrize("theme", ["light", "dark"])


def drawn(mode: Mode, theme: str) -> tuple[Any, dict[tuple[str, str], str]]:
    """The figure, and its signs by role and column."""
    rows = role_table(mode)
    figure = roles_figure(rows, theme)
    (squares,) = figure.data
    columns = figure.layout.xaxis.ticktext
    return figure, {
        (row.role.name, name): sign
        for row, signs in zip(rows, squares.text, strict=True)
        for name, sign in zip(columns, signs, strict=True)
    }


@THEMES
@pytest.mark.parametrize("mode", Mode)
def test_every_role_has_a_square_for_signing_in_and_for_each_permission(mode: Mode, theme: str) -> None:
    figure, signs = drawn(mode, theme)
    assert len(signs) == len(role_table(mode)) * (1 + len(Permission))
    assert list(figure.layout.xaxis.ticktext) == [SIGN_IN_COLUMN, *map(column, Permission)]
    for row in role_table(mode):
        for permission in Permission:
            assert (signs[row.role.name, column(permission)] == NO) is (permission not in row.rights)


@THEMES
def test_signs_say_what_colours_do(theme: str) -> None:
    figure, signs = drawn(Mode.ABAC, theme)
    assert signs["Owner", SIGN_IN_COLUMN] == IDENTITY
    assert signs["Owner", column(Permission.ASSIGN_ROLES)] == LEADS
    assert signs["Owner", column(Permission.PULL)] == NO
    assert signs["Container Registry Repository Reader", column(Permission.PULL)] == YES
    (squares,) = figure.data
    by_number = {
        (number, sign)
        for row, texts in zip(squares.z, squares.text, strict=True)
        for number, sign in zip(row, texts, strict=True)
    }
    assert by_number == {(0, NO), (1, IDENTITY), (2, YES), (3, LEADS)}
    assert len({colour for _, colour in squares.colorscale}) == 4


def test_under_the_pointer_stands_why_it_leads_to_more() -> None:
    rows = role_table(Mode.LEGACY)
    (squares,) = roles_figure(rows, "light").data
    at = 1 + list(Permission).index(Permission.LIST_CREDENTIALS)
    by_role = {row.role.name: texts[at] for row, texts in zip(rows, squares.customdata, strict=True)}
    assert "admin user is on" in by_role["Contributor"].replace("<br>", " ")
    assert by_role["AcrPull"].endswith("no<br>")


def test_a_name_of_others_is_text() -> None:
    (row, *_) = role_table(Mode.LEGACY)
    hostile: RoleRow = replace(row, role=replace(row.role, name="<b>x</b>"))
    figure = roles_figure([hostile], "light")
    assert "<b>" not in figure.layout.yaxis.ticktext[0]
    assert "<b>" not in figure.data[0].customdata[0][0]
