"""How numbers read in sentences, for every package and for the pages."""

from decimal import Decimal


def counted(number: int | Decimal, one: str, many: str = "") -> str:
    """'1 registry', '1,200 registries', '2.5 days'. `many` "": `one` with an s."""
    figure = f"{number:,}" if isinstance(number, int) else f"{number.normalize():,f}"
    return f"{figure} {one if number == 1 else many or one + 's'}"
