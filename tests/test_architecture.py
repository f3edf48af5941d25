"""Who may import whom, and that what others call says what it does."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CONSOLE = {"services", "ui", "pages", "app"}
FORBIDDEN = {
    "services": {"streamlit", "plotly", "ui", "pages", "sandbox", "app", "tests"},
    "sandbox": CONSOLE | {"tests"},
    "ui": {"pages", "sandbox", "app", "tests"},
    "pages": {"sandbox", "app", "tests"},
}
MEND = {
    "services": "The product knows no user interface: return values, and let ui/ or pages/ show them.",
    "sandbox": "The sandbox must be able to disagree with the console: write down again what it needs.",
    "ui": "What a page shares goes into ui/; a page's own stays in the page. Only app.py starts the sandbox.",
    "pages": "A page talks to whatever Azure the session is at. Only app.py starts the sandbox.",
}


def modules(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def imported(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """The top-level names that a module imports, wherever in it, with their lines."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name.partition(".")[0], node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0], node.lineno
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in ("import_module", "__import__"):
                yield str(node.args[0].value).partition(".")[0], node.lineno


@pytest.mark.parametrize("package", FORBIDDEN)
def test_import_arrows(package: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in modules(package)
        for name, line in imported(ast.parse(path.read_text()))
        if name in FORBIDDEN[package]
    ]
    assert not wrong, "\n".join([*wrong, MEND[package]])


def test_the_arrows_are_seen_wherever_an_import_stands() -> None:
    source = """
import plotly.express as px
def f():
    from streamlit import cache_data
    importlib.import_module("sandbox.server")
    from . import neighbour
"""
    assert [name for name, _ in imported(ast.parse(source))] == ["plotly", "streamlit", "sandbox"]


def test_there_is_something_to_check() -> None:
    assert all(modules(package) for package in ("services", "sandbox", "ui"))


Defined = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def test_what_services_offer_has_a_docstring() -> None:
    silent = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in modules("services")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, Defined) and not node.name.startswith("_") and not ast.get_docstring(node)
    ]
    assert not silent, "\n".join(
        [*silent, "Say what it returns (units, shapes), what it raises, and whose rule it is."]
    )


@pytest.mark.parametrize("package", FORBIDDEN)
def test_every_module_says_what_it_is(package: str) -> None:
    silent = [
        str(path.relative_to(ROOT)) for path in modules(package) if not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert not silent, f"A docstring of one line at the top of: {', '.join(silent)}"
