"""Small answers and events, made by hand, each with what it should give: the files are in tests/cases."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parents[1] / "cases"


def case(name: str) -> Any:
    """The JSON of a case such as answers/usage_rows_odd; numbers with a point as Decimal."""
    return json.loads((_FOLDER / f"{name}.json").read_text(encoding="utf-8"), parse_float=Decimal)
