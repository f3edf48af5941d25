"""What holds for every cached function of the pages: what its key is made of, and how it is forgotten."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CACHES = {"cache_data", "cache_resource"}
# The console has one database, whoever asks: each row has its own person.
SHARED = {"ui/runtime/database.py"}
FILES = [
    path
    for top in ("ui", "pages")
    for path in sorted((ROOT / top).rglob("*.py"))
    if str(path.relative_to(ROOT)) not in SHARED
]


def cached(tree: ast.AST) -> Iterator[ast.FunctionDef]:
    """The functions under `st.cache_data` or `st.cache_resource`, called or not."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            decorators = [one.func if isinstance(one, ast.Call) else one for one in node.decorator_list]
            if any(isinstance(one, ast.Attribute) and one.attr in CACHES for one in decorators):
                yield node


def arguments(function: ast.FunctionDef) -> list[str]:
    return [one.arg for one in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)]


def faults(source: str) -> Iterator[str]:
    tree = ast.parse(source)
    for function in cached(tree):
        names = arguments(function)
        yield from (f"{function.lineno} leaves {name} out of the key" for name in names if name.startswith("_"))
        if names and names[0] != "who":
            yield f"{function.lineno} {function.name} is shared by all identities"
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and not node.args
            and not node.keywords
            and ast.unparse(node).endswith(".clear()")
        ):
            yield f"{node.lineno} forgets what every identity has read"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_cache_s_key_is_all_that_it_is_given_and_only_its_own_entry_is_forgotten(path: Path) -> None:
    assert not list(faults(path.read_text()))


def test_a_parameter_left_out_and_a_cache_forgotten_whole_are_seen() -> None:
    source = """
@st.cache_resource(ttl="2m")
def read(who: str, _registry: Registry): ...
@st.cache_data
def shared(registry: Registry): ...
def forget():
    read.clear()
    read.clear(who, registry)
"""
    assert [fault.partition(" ")[0] for fault in faults(source)] == ["3", "5", "7"]
