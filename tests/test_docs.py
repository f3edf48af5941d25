"""The documents: what they name exists, what is kept is shown, and they stay short."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
TOPS = "benchmarks deploy docs pages sandbox services static tests ui .ci .streamlit"
# In backticks, with a folder before it or an ending behind it: `ui/loaders/`, `app.py`, `tests/clients/test_*.py`.
PATH = re.compile(
    r"`((?:(?:" + "|".join(map(re.escape, TOPS.split())) + r")/[\w./*-]*|[\w.*-]+\.(?:py|md|toml|in|txt)))`"
)
LINK = re.compile(r"\]\(([^)#:]+)\)")
LARGEST_README = 8 * 1024
LONGEST_DECISION = 40
LARGEST_PICTURES = 3 * 1024 * 1024

each_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))


def lost(document: Path, text: str) -> list[str]:
    """Paths and links in `text` that lead nowhere. A bare file name may be of any folder that `text` names."""
    made_by_running = ("secrets.toml", "results.json", "console.env", "database-password")
    folders = {ROOT, *(ROOT / folder for folder in re.findall(r"`([\w./-]+)/`", text))}
    folders |= {(ROOT / path).parent for path in re.findall(r"`([\w./-]+/[\w.-]+\.py)`", text)}
    paths = [
        path
        for path in PATH.findall(text)
        if not path.endswith(made_by_running) and not any(any(folder.glob(path)) for folder in folders)
    ]
    return paths + [link for link in LINK.findall(text) if not (document.parent / link).exists()]


@each_document
def test_what_a_document_names_exists(document: Path) -> None:
    assert lost(document, document.read_text(encoding="utf-8")) == []


def test_what_is_lost_is_seen() -> None:
    text = (
        "`services/nowhere.py`, `tests/none_*.py`, `gone.md`, [it](docs/gone.md), `services/images/tree.py`, `tree.py`"
    )
    assert lost(ROOT / "README.md", text) == ["services/nowhere.py", "tests/none_*.py", "gone.md", "docs/gone.md"]


@pytest.mark.parametrize("top", ["services", "ui", "sandbox"])
def test_the_architecture_names_every_package(top: str) -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    packages = {path.parent.name for path in (ROOT / top).glob("*/__init__.py")}
    assert packages <= set(re.findall(r"`(\w+)`", text)), "docs/architecture.md has a table of the packages"


def test_the_settings_page_has_every_variable_of_make_and_of_the_tests() -> None:
    text = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    read = set(re.findall(r"^(\w+) \?=", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for file in (ROOT / "tests").rglob("*.py"):
        read |= set(re.findall(r"""environ(?:\.get\(|\[)"([A-Z_]+)\"""", file.read_text(encoding="utf-8")))
    assert read - set(re.findall(r"`([A-Z_]+)`", text)) <= {"SANDBOX_AUTHORITY", "PYTEST_CURRENT_TEST"}, (
        "tests set these"
    )


def test_every_measure_is_documented_with_its_command() -> None:
    text = (ROOT / "docs" / "measurements.md").read_text(encoding="utf-8")
    source = (ROOT / "benchmarks" / "__main__.py").read_text(encoding="utf-8")
    measures = set(re.findall(r'^    "(\w+)": \w+\.measure,$', source, re.MULTILINE))
    assert measures == set(re.findall(r"`python -m benchmarks (\w+)`", text))


def test_the_readme_is_short() -> None:
    assert (ROOT / "README.md").stat().st_size <= LARGEST_README


def test_a_decision_fits_a_page() -> None:
    decisions = list((ROOT / "docs" / "decisions").glob("*.md"))
    assert decisions
    for decision in decisions:
        lines = decision.read_text(encoding="utf-8").splitlines()
        assert len(lines) <= LONGEST_DECISION
        assert [line for line in lines if line.startswith("## ")] == ["## Context", "## Decision", "## Consequences"]


def test_the_pictures_that_are_kept_are_those_that_are_shown() -> None:
    shown = {
        (document.parent / link).resolve()
        for document in DOCUMENTS
        for link in LINK.findall(document.read_text(encoding="utf-8"))
        if link.endswith(".png")
    }
    kept = re.findall(r"^!(docs/screenshots/.+)$", (ROOT / ".gitignore").read_text(encoding="utf-8"), re.MULTILINE)
    assert shown == {ROOT / picture for picture in kept}
    assert sum(picture.stat().st_size for picture in shown) < LARGEST_PICTURES


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_what_is_installed_is_locked_and_from_no_address_of_our_own(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    pinned = re.findall(r"^[\w.-]+==\S+ \\\n    --hash=sha256:\w{64}", text, re.MULTILINE)
    assert len(pinned) == len(re.findall(r"^[\w.-]", text, re.MULTILINE)) > 0
    assert "://" not in text and "index-url" not in text and "trusted-host" not in text


def test_the_changelog_begins_with_what_is_not_released() -> None:
    headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert headings[0] == "[Unreleased]"
