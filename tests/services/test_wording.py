"""How numbers read in sentences."""

from decimal import Decimal

from services.wording import counted, joined


def test_counts_agree_with_their_noun() -> None:
    assert [counted(1, "tag"), counted(1200, "tag"), counted(2, "registry", "registries")] == [
        "1 tag",
        "1,200 tags",
        "2 registries",
    ]


def test_parts_are_written_as_short_as_they_are() -> None:
    numbers = (Decimal("1.00"), Decimal("2.50"), Decimal("30.00"), Decimal("1200"))
    assert [counted(number, "day") for number in numbers] == ["1 day", "2.5 days", "30 days", "1,200 days"]


def test_names_are_joined_and_many_are_counted() -> None:
    assert [joined(("a", "b", "c", "d")[:number]) for number in range(5)] == [
        "", "a", "a and b", "a, b and c", "a, b, c and 1 more",
    ]  # fmt: skip
