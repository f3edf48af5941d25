"""What a retention policy would change of the forecast, by the newest simulation at hand: none is started here."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import streamlit as st

from services.growth.forecast import Forecast
from services.registries.registry import Registry
from ui.elements.text import ago, plain, size

# Where `ui.policies.simulation` keeps the last simulations of the session.
_KEPT = "simulations"


@dataclass(frozen=True)
class Effect:
    """What a simulation found: `freed` bytes at once, at most so many where not `exact`."""

    policy: str
    at: datetime
    freed: int
    exact: bool


def newest_effect(registry: Registry, read_at: datetime) -> Effect | None:
    """The newest simulation of this session over what was read of the registry then, by the same person; None where
    there is none. One of an earlier read may have been run since, or be another person's."""
    kept: Mapping[Any, Any] = st.session_state.get(_KEPT, {})
    found = [
        Effect(key[0].name, key[4], one.freed, one.exact)
        for key, one in kept.items()
        if key[1:3] == (registry.id, read_at)
    ]
    return max(found, key=lambda one: one.at, default=None)


def show_effect(effect: Effect | None, ahead: Forecast | None, cleaned: Forecast | None, included: int | None) -> None:
    """One line: what the policy frees, and when the included storage is then full."""
    if effect is None:
        st.caption("What a retention policy would change: simulate one over this registry, and it is shown here.")
        return
    freed = f"{'' if effect.exact else 'at most '}{size(effect.freed)}"
    line = f"The policy {plain(effect.policy)}, simulated {ago(effect.at)}, would free {freed} at once."
    if ahead and cleaned and included:
        before, after = ahead.reaches(included)[0], cleaned.reaches(included)[0]
        if before != after:
            then = f"on {after:%Y-%m-%d}" if after else "not within a year"
            line += f" The included storage is then full {then} instead of {before:%Y-%m-%d}."
        elif after:
            line += f" The included storage is full on {after:%Y-%m-%d} all the same."
    st.markdown(f"{line} It grows on as before: what the policy deletes later is not in the curve.")
