"""The console's version: what pyproject.toml says, since nothing is installed that could be asked."""

import tomllib
from pathlib import Path

_PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]

VERSION: str = _PROJECT["version"]
USER_AGENT = f"{_PROJECT['name']}/{VERSION}"
