"""How numbers read in sentences, and texts in spreadsheets, for every package and for the pages."""

from collections.abc import Sequence
from decimal import Decimal
from unicodedata import normalize

_NO_NAMES = frozenset(("A", "An", "Both", "Its", "It", "No", "None", "Only", "Public", "The", "There", "These"))
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def counted(number: int | Decimal, one: str, many: str = "") -> str:
    """'1 registry', '1,200 registries', '2.5 days'. `many` "": `one` with an s."""
    figure = f"{number:,}" if isinstance(number, int) else f"{number.normalize():,f}"
    return f"{figure} {one if number == 1 else many or one + 's'}"


def continued(sentence: str) -> str:
    """The sentence for behind a colon: with a small letter, unless it begins with a name."""
    first = sentence.partition(" ")[0]
    return sentence[:1].lower() + sentence[1:] if first in _NO_NAMES else sentence


def joined(names: Sequence[str], most: int = 3) -> str:
    """'a', 'a and b', 'a, b and c', 'a, b, c and 2 more': at most so many names, as more are no longer read."""
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    return " and ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)


def size(count: float | None) -> str:
    """Bytes as people read them: 1.4 GiB. '–' where unknown."""
    if count is None:
        return "–"
    for unit in _UNITS[:-1]:
        if abs(count) < 1024:
            return f"{count:.0f} {unit}" if unit == "B" or count >= 100 else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} {_UNITS[-1]}"


def cell_text(text: str) -> str:
    """The text as a cell of CSV: with an apostrophe in front where a spreadsheet would take it for a formula, also
    behind blanks and in full width."""
    return f"'{text}" if normalize("NFKC", text.lstrip())[:1] in tuple("=+-@") or text[:1] in tuple("\t\r\n") else text
