"""The words and the icon for the outcome of a change."""

from collections.abc import Iterable

import streamlit as st

from services.connection.changes import Outcome
from services.connection.parallel import Refusal
from services.jobs.changes import Answer
from ui.elements.text import plain

# Of a change of thousands: so many results stand in its record.
MOST_RECORDED = 100

# After a name: "Token device01: created and verified".
WORDS = {
    Outcome.CREATED: "created and verified",
    Outcome.CHANGED: "changed and verified",
    Outcome.DELETED: "deleted and verified",
    Outcome.RESTORED: "restored and verified",
    Outcome.ALREADY_DONE: "already done, nothing to change",
    Outcome.NOT_CONFIRMED: "accepted by Azure, not visible yet: refresh in a minute",
    Outcome.REFUSED: "refused",
    Outcome.NOT_TRIED: "not tried, stopped before",
}
ICONS = {
    Outcome.CREATED: ":green[:material/check_circle:]",
    Outcome.CHANGED: ":green[:material/check_circle:]",
    Outcome.DELETED: ":green[:material/check_circle:]",
    Outcome.RESTORED: ":green[:material/check_circle:]",
    Outcome.ALREADY_DONE: ":green[:material/check_circle:]",
    Outcome.NOT_CONFIRMED: ":orange[:material/pending:]",
    Outcome.REFUSED: ":red[:material/error:]",
    Outcome.NOT_TRIED: ":gray[:material/block:]",
}


def label(outcome: Outcome) -> str:
    """The words without a name before them, as in a table cell."""
    return WORDS[outcome].capitalize()


def result_line(name: str, outcome: str, cause: str = "") -> str:
    """Markdown of one result: `outcome` an Outcome, or another word of a job's own; `cause` why it was refused."""
    known = next((one for one in Outcome if one.value == outcome), None)
    icon, words = (ICONS[known], WORDS[known]) if known else (":gray[:material/circle:]", plain(outcome))
    return f"{icon} {plain(name)}: {words}" + (f". {plain(cause)}" if cause else "")


def results_list(
    results: Iterable[tuple[str, Outcome]], refused: Iterable[Refusal] = (), *, untried: int = 0
) -> Answer:
    """For a change's record: a line for each refusal with its reason, then for each result."""
    results, refused = tuple(results), tuple(refused)
    lines = [f"- {plain(one.what)}: {WORDS[Outcome.REFUSED]}. {plain(str(one.error))}" for one in refused]
    lines += [f"- {plain(name)}: {WORDS[outcome]}" for name, outcome in results]
    if untried:
        lines.append(f"- {untried:,} {WORDS[Outcome.NOT_TRIED]}")
    further = len(lines) - MOST_RECORDED
    text = "\n".join([*lines[:MOST_RECORDED], *([f"- … and {further:,} more"] if further > 0 else [])])
    return Answer(text, not refused and not untried and all(outcome.is_done for _, outcome in results))


def show_outcome(what: str, outcome: Outcome, more: str = "") -> None:
    """Shows one sentence: `what` (markdown), its outcome, and `more` where the outcome is confirmed."""
    if outcome is Outcome.NOT_CONFIRMED:
        st.warning(f"{what}: {WORDS[outcome]}.", icon=":material/pending:")
    else:
        st.success(f"{what}: {WORDS[outcome]}{more}.", icon=":material/check_circle:")
