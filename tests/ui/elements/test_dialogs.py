"""Every dialog of the product can be left by a button, and its buttons say verb and object."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
# Functions of ui/ that end with the button which closes the dialog.
CLOSING = {"confirm", "confirm_and_run", "close_button", "confirm_grant"}


def functions() -> dict[str, list[ast.FunctionDef]]:
    """All functions of the user interface, by name."""
    found: dict[str, list[ast.FunctionDef]] = {}
    for file in sorted([*(ROOT / "ui").rglob("*.py"), *(ROOT / "pages").glob("*.py")]):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.FunctionDef):
                found.setdefault(node.name, []).append(node)
    return found


def title_of(function: ast.FunctionDef) -> str:
    """The title of the dialog that the function is; "" where it is none."""
    for decorator in function.decorator_list:
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "dialog":
            (title,) = decorator.args
            return str(ast.literal_eval(title))
    return ""


FUNCTIONS = functions()
DIALOGS = [(title, one) for named in FUNCTIONS.values() for one in named if (title := title_of(one))]


def called(statement: ast.AST) -> Iterator[str]:
    for node in ast.walk(statement):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func).rpartition(".")[2]


def closes(statement: ast.stmt, depth: int = 2) -> bool:
    """Whether a statement always shows a button that closes the dialog, itself or by a function that it calls."""
    if isinstance(statement, ast.With):
        return ends_closed(statement.body, depth)
    if isinstance(statement, ast.If):
        in_test = any(name in CLOSING for name in called(statement.test))
        return in_test or bool(
            statement.orelse and ends_closed(statement.body, depth) and ends_closed(statement.orelse, depth)
        )
    if not isinstance(statement, ast.Expr | ast.Assign):
        return False
    names = set(called(statement))
    if names & CLOSING:
        return True
    helpers = [one for name in names for one in FUNCTIONS.get(name, []) if not title_of(one)]
    return depth > 0 and any(ends_closed(one.body, depth - 1) for one in helpers)


def ends_closed(body: list[ast.stmt], depth: int = 2) -> bool:
    """Whether a block shows the button on each path through it: also on one that returns early."""
    shown = False
    for statement in body:
        if (
            isinstance(statement, ast.If)
            and any(isinstance(one, ast.Return) for one in ast.walk(statement))
            and not shown
        ):
            leaves = [one for one in statement.body if not isinstance(one, ast.Return)]
            if not (ends_closed(leaves, depth) or any(name in CLOSING for name in called(statement.test))):
                return False
        shown = shown or closes(statement, depth)
    return shown


@pytest.mark.parametrize(("title", "function"), DIALOGS, ids=[title for title, _ in DIALOGS])
def test_a_dialog_has_a_button_that_closes_it(title: str, function: ast.FunctionDef) -> None:
    assert ends_closed(function.body), f"{title}: Escape alone closes it"


def test_a_dialog_without_one_is_found() -> None:
    sample = ast.parse(
        "def f():\n    name = ask()\n    if not name:\n        return\n    confirm(plan, 'Add tag')"
    ).body[0]
    assert isinstance(sample, ast.FunctionDef)
    assert not ends_closed(sample.body)
    assert ends_closed([sample.body[0], sample.body[2]])


@pytest.mark.parametrize(("title", "function"), DIALOGS, ids=[title for title, _ in DIALOGS])
def test_the_primary_button_says_verb_and_object(title: str, function: ast.FunctionDef) -> None:
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("confirm", "confirm_and_run"):
            label = node.args[1]
            if isinstance(label, ast.Constant):
                assert len(str(label.value).split()) >= 2, f"{title}: {label.value}"
