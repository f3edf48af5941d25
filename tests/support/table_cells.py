"""What a cell of a table must not be: a size, a time or an amount written as text, which sorts by its letters."""

import re
from collections.abc import Iterator

import pyarrow as pa

_TEXTS = {
    "a size": re.compile(r"≥? ?[\d.,]+ ?(B|KiB|MiB|GiB|TiB)"),
    "a time": re.compile(r"(just now|(\d+|an?) (minute|hour|day|month|year)s? ago|\d{4}-\d\d-\d\d([T ]\d\d:\d\d.*)?)"),
    "an amount": re.compile(r"(([A-Z]{3}|[$€£¥]) ?[\d.,]+|[\d.,]+ ?([A-Z]{3}|[$€£¥]))"),
}
# The comparison of SKUs has a row for each of very different features: no column of it means one thing.
_OF_FEATURES = "Feature"


def faults(table: pa.Table) -> Iterator[str]:
    """The columns of text in which a cell is a size, a time or an amount."""
    if _OF_FEATURES in table.column_names:
        return
    for name, column in zip(table.column_names, table.columns, strict=True):
        for cell in column.to_pylist() if pa.types.is_string(column.type) else ():
            yield from (f"{name}: {cell} is {what}" for what, text in _TEXTS.items() if cell and text.fullmatch(cell))
