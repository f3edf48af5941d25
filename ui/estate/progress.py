"""The progress of several readings in one line."""

import time
from collections.abc import Sequence
from typing import Any

import streamlit as st

from ui.elements.notices import ticking
from ui.elements.text import plain
from ui.runtime.background import TICK_S, Reading

# Registries are read one by one: the page shows more of them when a tenth is in.
_STEPS = 10


def wait_a_moment(readings: Sequence[Reading[Any]]) -> None:
    """Waits until all have ended, but no longer than a moment: what is read within it needs no progress, which would
    only flicker."""
    begun = time.monotonic()
    for reading in readings:
        reading.finished.wait(max(0.0, begun + reading.moment - time.monotonic()))


@ticking(TICK_S)
def show_readings(readings: Sequence[Reading[Any]], key: str) -> bool:
    """What of `readings` is still read, with one button that stops all. The page runs again as parts are read; also
    where all have ended by now, as the page has begun with what was read before."""
    running = [reading for reading in readings if reading.running]
    seen = f"{key}: seen"
    now = (len(running), *(_STEPS * reading.done // reading.of for reading in running if reading.of))
    more = not running or st.session_state.setdefault(seen, now) != now
    st.session_state[seen] = now
    parts = [
        f"{reading.what} {reading.done:,} of {reading.of:,}" if reading.of else reading.what
        for reading in running
        if reading.what
    ]
    done, of = sum(reading.done for reading in running), sum(reading.of for reading in running)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(min(done / of, 1.0) if of else 0.0, text=plain(f"Reading {', '.join(parts)}".rstrip()))
        st.button("Stop", icon=":material/stop_circle:", key=f"{key}: stop", on_click=_stop, args=(running,))
    return more


def _stop(readings: Sequence[Reading[Any]]) -> None:
    for reading in readings:
        reading.stop.set()
