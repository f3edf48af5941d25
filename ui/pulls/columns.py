"""When images were pulled last, as columns of a table and as words; and what is not known of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from services.pulls.pulls import PullsOfImage, RegistryPulls
from services.registries.registry import Registry
from ui.elements.styled_table import Worded
from ui.elements.text import ago, plain
from ui.loaders.pulls import registry_pulls
from ui.runtime.background import Reading, show_progress

LAST, MONTH = "Last pull", "Pulls, 30 days"
CACHED = "A node that has the image does not pull it again: no pull does not mean unused."
_LEFT_OUT = "Without pulls by this console and by Microsoft Defender's scanner."


@dataclass(frozen=True)
class PullsOf:
    """What is known of the pulls of one repository's images."""

    pulls: RegistryPulls
    repository: str


def known_pulls(who: str, registry: Registry, repository: str) -> tuple[Reading[RegistryPulls], PullsOf | None]:
    """The pulls of a repository as far as they are read; None where nothing is known of them."""
    reading = registry_pulls(who, registry)
    show_progress(reading, f"pulls of {registry.id}", stop="")
    pulls = reading.value
    return reading, PullsOf(pulls, repository) if pulls.known and not reading.running else None


def pull_cells(pulls: PullsOf, digests: Sequence[str], tags: Iterable[str]) -> dict[str, Any]:
    """The cells of an image. As a number: when it was pulled last, in seconds; less than 0, since when it was not."""
    found, since = pulls.pulls.of(pulls.repository, digests, tags), pulls.pulls.since
    last = found.last.at.timestamp() if found.last else -since.timestamp() if since else None
    return {LAST: last, MONTH: found.month if since or found.last else None}


def pull_columns(pulls: RegistryPulls) -> Mapping[str, Any]:
    known = f"Logged since {pulls.since:%Y-%m-%d}." if pulls.since else f"A dash means unknown. {plain(pulls.why)}"
    return {
        LAST: Worded(_words, f"By any of its tags, or by digest. {known} {_LEFT_OUT} {CACHED}", "left"),
        MONTH: st.column_config.NumberColumn(format="localized", help=_LEFT_OUT),
    }


def last_pull_column() -> Worded:
    """The column LAST of images of many registries."""
    return Worded(_words, f"By any of its tags, or by digest. A dash means unknown. {_LEFT_OUT} {CACHED}", "left")


def last_pull_text(seconds: float | None) -> str:
    """The cell as a text of its own, for CSV: the time, or since when there was none; "" unknown."""
    if seconds is None:
        return ""
    moment = datetime.fromtimestamp(abs(seconds), UTC)
    return moment.isoformat(timespec="seconds") if seconds > 0 else f"Not since {moment:%Y-%m-%d}"


def _words(seconds: float) -> str:
    moment = datetime.fromtimestamp(abs(seconds), UTC)
    return ago(moment) if seconds > 0 else f"Not since {moment:%Y-%m-%d}"


def last_pull_words(found: PullsOfImage, pulls: RegistryPulls) -> str:
    """When an image was pulled last, or since when it was not, or that this is unknown."""
    if found.last:
        return ago(found.last.at)
    if pulls.since:
        return f"Not since {pulls.since:%Y-%m-%d}, when logging began"
    return f"Unknown: {pulls.why[:1].lower()}{pulls.why[1:].rstrip('.')}"
