"""The version is one: pyproject.toml's, which the user agent carries and the changelog describes."""

import re
from pathlib import Path

from services.connection.version import USER_AGENT, VERSION


def test_the_user_agent_carries_the_version() -> None:
    assert f"acr-console/{VERSION}" == USER_AGENT
    assert re.fullmatch(r"\d+\.\d+\.\d+", VERSION)


def test_the_changelog_s_newest_version_is_this_one() -> None:
    changelog = (Path(__file__).parents[3] / "CHANGELOG.md").read_text()
    assert re.findall(r"^## \[(\d[^\]]*)\]", changelog, re.MULTILINE)[0] == VERSION
