"""Who may import whom, and that what others call says what it does."""

import ast
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
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


# The packages of each, from the ground up: one imports only from those on lower floors. A new package is a word here.
FLOORS = {
    "services": (
        "connection redaction",
        "commands database",
        "arm images jobs",
        "registries deletion restore sign_in compare",
        "access pricing transfer pulls index",
        "roles costs child_resources tasks growth",
        "aks cost_trend",
        "pull_checks access_review cost_reports",
        "running",
        "registry_lifecycle estate promotion",
        "policies",
        "schedules",
    ),
    "ui": (
        "elements",
        "runtime",
        "loaders monitoring",
        "navigation",
        "jobs",
        "running pulls index",
        "images compare deletion access_review roles",
        "pricing aks transfer tasks",
        "costs child_resources registry_lifecycle policies growth",
        "estate registry job_kinds schedules",
    ),
}
ALONE = {"__init__.py", "wording.py"}  # beside the packages: how every package words a number
MOST_MODULES = 16  # in a package: more is two subjects
MOST_LINES = 400  # in a module: more is two ideas


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


def imported_modules(tree: ast.AST, known: Collection[str]) -> Iterator[tuple[str, int]]:
    """The modules among `known` that a module imports, by dotted name, with their lines; imports for types count."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            named = [(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            named = [(node.module, node.lineno)]
            named += [(f"{node.module}.{alias.name}", node.lineno) for alias in node.names]
        else:
            continue
        yield from ((name, line) for name, line in named if name in known)


def graph(*packages: str) -> dict[str, dict[str, int]]:
    """What each module imports of these packages, with the lines. A package's own file has no place in it."""
    files = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts): path
        for package in packages
        for path in modules(package)
        if path.name != "__init__.py"
    }
    return {name: dict(imported_modules(ast.parse(path.read_text()), files)) for name, path in files.items()}


def against(floors: Sequence[str], imports: Mapping[str, Mapping[str, int]]) -> list[str]:
    """The imports from a package that does not stand lower."""
    floor = {package: number for number, packages in enumerate(floors) for package in packages.split()}
    return [
        f"{name}:{line} imports {other}"
        for name, others in imports.items()
        for other, line in others.items()
        if f"{other.split('.')[1]}.py" not in ALONE
        if (mine := name.split(".")[1]) != (its := other.split(".")[1])
        and not (mine in floor and its in floor and floor[its] < floor[mine])
    ]


@pytest.mark.parametrize("top", FLOORS)
def test_a_package_imports_only_from_lower_floors(top: str) -> None:
    wrong = against(FLOORS[top], graph(top))
    assert not wrong, "\n".join([*wrong, "Move what both need to a lower floor, or pass it in."])


def test_an_arrow_that_goes_up_is_seen() -> None:
    imports = {"services.images.tree": {"services.deletion.plan": 3, "services.connection.errors": 4}}
    assert against(FLOORS["services"], imports) == ["services.images.tree:3 imports services.deletion.plan"]


@pytest.mark.parametrize("top", FLOORS)
def test_every_package_has_its_floor(top: str) -> None:
    there = {path.name for path in (ROOT / top).iterdir() if (path / "__init__.py").exists()}
    assert there == {package for packages in FLOORS[top] for package in packages.split()}
    assert not [path for path in (ROOT / top).glob("*.py") if path.name not in ALONE], "Every module has a package."


def circle(imports: Mapping[str, Iterable[str]]) -> list[str]:
    """Modules that import each other in a ring, types included; empty where there is none."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        ring: list[str] = error.args[1]
        return ring
    return []


def test_no_files_import_each_other() -> None:
    assert not circle(graph("services", "ui", "sandbox", "pages"))


def test_a_circle_is_seen() -> None:
    assert circle({"a": ["b"], "b": ["c"], "c": ["a"]})


def test_a_package_is_one_subject_and_a_module_one_idea() -> None:
    packages = {path.parent for top in ("services", "ui", "sandbox") for path in modules(top)}
    crowded = [
        f"{package.relative_to(ROOT)} has {number} modules"
        for package in sorted(packages)
        if (number := sum(path.name != "__init__.py" for path in package.glob("*.py"))) > MOST_MODULES
    ]
    long = [
        f"{path.relative_to(ROOT)} has {number} lines"
        for top in (*FORBIDDEN, "benchmarks")
        for path in modules(top)
        if (number := len(path.read_text().splitlines())) > MOST_LINES
    ]
    assert not [*crowded, *long]


def test_each_migration_follows_the_one_before() -> None:
    """Two that were written at the same time both follow the last: a database opens with neither."""
    files = sorted((ROOT / "services/database/migrations/versions").glob("v*.py"))
    found = [re.findall(r'^(?:down_)?revision = "?(\w+)', file.read_text(), re.MULTILINE) for file in files]
    numbers = [f"{number:03}" for number in range(1, len(files) + 1)]
    assert [file.name[1:4] for file in files] == numbers
    assert found == [list(pair) for pair in zip(numbers, ["None", *numbers], strict=False)]


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
