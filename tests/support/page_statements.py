"""What a page states, and which of it the truth contradicts: the judge of the fault walk.

A page under a fault may say less than the truth, where it says that something could not be read. It may not say
anything else: not another number, no "none", no success, no button that was disabled.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Block, Element

# Marks of what is not known, in the words that the console has for it.
UNKNOWN = re.compile(
    r"could (?:not )?be |can't be read|unknown|unread|not known|not read|not run|not included|not every|not all"
    r"|not listed|not reported|at least|≥|^–$|^\?$|maybe|at the estimate",
    re.IGNORECASE,
)
# What a line claims of Azure: a number, that there is none, a verdict. Other lines explain or invite.
# A number within a name or an address is none.
CLAIM = re.compile(
    r"(?<![\w.:-])\d|\b(?:no|none|nothing|nobody|empty|already|succeeded|enabled|disabled|can(?:'t)? pull)\b",
    re.IGNORECASE,
)
# How old a reading is, how much of a table is shown, where it is from and what to do are no claims of Azure.
NEUTRAL = re.compile(r"^Read |\bshown\b|the table shows why|^List prices in |^\*\*What to do:")
AGO = re.compile(r"\b(?:just now|(?:\d+|an?) (?:second|minute|hour|day|month|year)s? ago)\b")
GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
FINDINGS = ", Needs attention"
SIGNED = re.compile("[▲●] [^']+")  # A finding of more than low risk.
ICON = re.compile(r":material/\w+:")
PANEL = ":red[:material/error:]"
# What a page says where its amounts are in another currency than the bills.
OTHER_CURRENCY = "currency of the bills is unknown"
AMOUNT = re.compile(r"\b[A-Z]{3} \d[\d,]*(?:\.\d+)?")
COLUMN_CURRENCY = re.compile(r", [A-Z]{3}$")
CURRENCY = re.compile(r"\b[A-Z]{3}(?= \d)")
UNITS = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}


@dataclass(frozen=True)
class Statement:
    """What a page says of one subject: a metric, a row and a column of a table, a button. `subject` "" is a line of
    text. `group`: the metric or the row, which one mark of it covers; `section`: the heading above. `refusal`: in an
    error panel."""

    subject: str
    value: str
    group: str = ""
    section: str = ""
    refusal: bool = False


def statements(at: AppTest) -> tuple[Statement, ...]:
    """All that the page states, in order, but shell lines and charts, whose numbers stand in tables too."""
    found: list[Statement] = []
    section = ""
    for one in _of_block(at.main, refusal=False):
        if one.group == "heading":
            section = one.value
        found.append(replace(one, section=section))
    return tuple(dict.fromkeys(found))


def _of_block(block: Block, *, refusal: bool) -> Iterator[Statement]:
    children = list(block.children.values())
    first = children[0] if children else None
    refusal = refusal or (isinstance(first, Element) and first.type == "markdown" and _text(first).startswith(PANEL))
    if block.type == "expander":
        yield Statement("", str(getattr(block, "label", "")), refusal=refusal)
    if isinstance(first, Element) and first.type == "metric":
        yield from _of_tile(first, children[1:])
        return
    for child in children:
        if isinstance(child, Block):
            yield from _of_block(child, refusal=refusal)
        else:
            yield from (replace(one, refusal=refusal) for one in _of_element(child))


def _of_tile(metric: Any, notes: Iterable[Element | Block]) -> Iterator[Statement]:
    """A figure, and the lines below it."""
    subject = f"metric {metric.label}"
    yield Statement(subject, metric.value, subject)
    beside = "; ".join(_text(note).replace("\\", "") for note in notes if isinstance(note, Element))
    yield Statement(f"{subject}, beside", beside, subject)


def _text(element: Element) -> str:
    return str(getattr(element, "value", ""))


def _of_element(element: Element) -> Iterator[Statement]:
    match element.type:
        case "header" | "subheader":
            yield Statement("", _text(element), "heading")
        case "title" | "markdown" | "text" | "caption" | "error" | "warning" | "info":
            yield from (Statement("", part) for part in AGO.sub("…", ICON.sub("", _text(element))).split(" · "))
        case "success":
            yield Statement("success", _text(element))
        case "exception":
            yield Statement("a traceback", _text(element))
        case "button":
            yield Statement(f"button {element.label}", "disabled" if element.disabled else "enabled")
        case "selectbox" | "multiselect":
            for option in element.options:
                yield Statement(f"choice {element.label}: {option}", "offered")
            if help_text := str(getattr(element, "help", "") or ""):
                yield Statement(f"choice {element.label}, help", help_text)
        case "table":
            for name, row in element.value.iterrows():
                yield Statement(f"fact {name}", " ".join(str(cell) for cell in row), f"fact {name}")
        case "dataframe":
            yield from _of_rows(element)


def _of_rows(element: Element) -> Iterator[Statement]:
    frame = element.value
    # The first columns name the row, whatever its place in a tree. Of a few rows, the first alone may be unique.
    of_pairs = list(frame.columns[:2]) == ["Cluster", "Registry"]
    names = 1 if frame.shape[1] and frame.iloc[:, 0].is_unique and not of_pairs else 2
    # A column of sizes has the unit of its largest: compared are bytes.
    units = [_unit(element, str(column)) for column in frame.columns]
    for row in frame.itertuples(index=False):
        cells = [_cell(cell * unit if isinstance(cell, float) else cell) for cell, unit in zip(row, units, strict=True)]
        key = " ".join(cells[:names]).lstrip("\u2003└ ")
        for column, cell in zip(frame.columns, cells, strict=True):
            yield Statement(f"{key}, {column}", cell.lstrip("\u2003└ "), f"row {key}")


def _unit(element: Element, column: str) -> int:
    """The bytes of the unit that a column's numbers are in; 1 where they are no sizes."""
    config = json.loads(element.proto.columns or "{}").get(column) or {}
    return UNITS.get(str((config.get("type_config") or {}).get("format", "")).rpartition(" ")[2], 1)


def _cell(cell: object) -> str:
    if cell is None or str(cell) in ("nan", "NaT", "<NA>", "None"):
        return "–"
    return AGO.sub("…", f"{cell:g}" if isinstance(cell, float) else str(cell))


def contradictions(truth: Iterable[Statement], seen: Iterable[Statement], noise: Iterable[str] = ()) -> list[str]:
    """What the page states, `seen`, that `truth` contradicts; and what it left out without a word. `noise`: subjects
    and lines that differ between two readings of the same."""
    truth, seen, ignored = list(truth), list(seen), set(noise)
    known = {(one.subject, one.value) for one in truth}
    new = [one for one in seen if (one.subject, one.value) not in known and _key(one) not in ignored]
    if any(OTHER_CURRENCY in one.value for one in new):
        alike = {_without_amounts(one) for one in truth}
        new = [one for one in new if _without_amounts(one) not in alike]
    values = {one.subject: one.value for one in truth if one.subject}
    if {one for one in values if one.endswith(FINDINGS)} - {one.subject for one in seen}:
        new = [one for one in new if not _differs_by_widespread(one, values)]
    # Another lower bound than the truth's own, or one in another currency, needs another reason.
    bounds = {
        one
        for one in new
        if one.value.startswith("≥ ")
        and (
            values.get(one.subject, "").startswith("≥ ") or _of_another_currency(one.value, values.get(one.subject, ""))
        )
    }
    marks = [one for one in new if _is_mark(one) and one not in bounds]
    groups = {one.group for one in marks if one.group} - {"heading"}
    sections = {one.section for one in seen if one.group == "heading" and UNKNOWN.search(one.value)}
    # A line above a section's tables that says of how much they are made, where the truth's says it of more.
    sections |= {one.section for one in marks if not one.subject and one.value.startswith("At least: ")}
    found = [
        f"says {_words(one)}"
        for one in new
        if _above(one.value, values.get(one.subject, ""))
        or not (
            (_allowed(one, values) and one not in bounds)
            or one.group in groups
            or (one.group and one.section in sections)
        )
    ]
    there = {(one.subject, one.value) for one in seen}
    lost = [one for one in truth if (one.subject, one.value) not in there and _key(one) not in ignored]
    if not any(one.refusal for one in new) and not marks:
        found += [f"lacks without a word {_words(one)}" for one in lost if one.subject or _claims(one.value)]
    return found


def _differs_by_widespread(one: Statement, values: dict[str, str]) -> bool:
    """Whether it differs from the truth's findings in those of low risk alone. What most registries have is left out:
    that is something else where fewer are listed."""
    return one.subject.endswith(FINDINGS) and SIGNED.findall(one.value) == SIGNED.findall(values.get(one.subject, ""))


def _without_amounts(one: Statement) -> tuple[str, str]:
    """What it says but for its amounts of money and their currency."""
    subject = COLUMN_CURRENCY.sub("", one.subject)
    return subject, "" if subject != one.subject else AMOUNT.sub("", one.value)


def _is_mark(one: Statement) -> bool:
    """Whether it says that something is unknown. A row that is named by an id has no name that could be read; a column
    of what is unknown or estimated marks its row where it has any."""
    if one.group.startswith("row "):
        column = one.subject.rpartition(", ")[2].casefold()
        if GUID.fullmatch(one.group.removeprefix("row ")):
            return True
        if ("unknown" in column or "estimated" in column) and one.value not in ("0", "[]", "–", ""):
            return True
    return bool(UNKNOWN.search(one.value)) or one.subject == "metric Unknown"


def _key(one: Statement) -> str:
    return one.subject or one.value


def _words(one: Statement) -> str:
    return f"{one.subject} = {one.value}" if one.subject else one.value


def _claims(line: str) -> bool:
    return bool(CLAIM.search(line)) and not NEUTRAL.search(line)


def _by_id(value: str) -> re.Pattern[str]:
    """What it says with any names in place of its ids."""
    return re.compile(".+".join(re.escape(part) for part in re.split(GUID, value)))


def _above(bound: str, value: str) -> bool:
    """Whether "≥ 5 GiB" is said of what is less. Amounts of two currencies are not compared."""
    if _of_another_currency(bound, value):
        return False
    least, true = (_amount(bound), _amount(value)) if bound.startswith("≥ ") else (None, None)
    return least is not None and true is not None and least > true


def _of_another_currency(one: str, other: str) -> bool:
    """Whether both are amounts of money, and of two currencies."""
    first, second = CURRENCY.search(one), CURRENCY.search(other)
    return first is not None and second is not None and first[0] != second[0]


def _amount(text: str) -> float | None:
    found = re.search(r"(\d[\d,]*(?:\.\d+)?)(?: (\w+))?", text)
    return float(found[1].replace(",", "")) * UNITS.get(found[2], 1) if found else None


def _allowed(one: Statement, values: dict[str, str]) -> bool:
    if one.subject in ("a traceback", "success"):
        return False
    if one.subject.startswith("choice ") or one.subject.endswith(", Source"):
        return True
    if one.subject.startswith("button "):
        return one.value == "disabled" or one.subject not in values
    if GUID.search(one.value) and _by_id(one.value).fullmatch(values.get(one.subject, "")):
        return True
    if values.get(one.subject) and one.value.startswith(f"{values[one.subject]} ") and "Ignored: " in one.value:
        return True  # The same verdict, and a role that would change nothing.
    return one.refusal or _is_mark(one) or (not one.subject and not _claims(one.value))
