"""What the present identity may do at a registry, asked of the registry when somebody wants to know."""

from dataclasses import dataclass
from datetime import UTC, datetime

import streamlit as st

from services.access.decisions import Verdict
from services.access.token_grants import Granted, ask_granted
from services.connection.errors import ServiceError
from services.registries.registry import Mode, Registry
from ui.elements.errors import panel, show_error
from ui.elements.table import show_rows
from ui.elements.text import ago, plain
from ui.runtime import connection

_WORDS = {Verdict.YES: "✓ yes", Verdict.NO: "✗ no", Verdict.UNKNOWN: "? can't be told"}


@dataclass(frozen=True)
class _Told:
    """What the registry answered, and when."""

    rows: tuple[Granted, ...]
    at: datetime


def show_granted(who: str, registry: Registry, repository: str) -> None:
    """The button, and what came of it last for this repository."""
    st.markdown(
        f"As **{plain(connection.session(who).identity.name)}**: the registry itself is asked for a token of "
        "everything, and says what it grants"
        + (f" on **{plain(repository)}**." if repository else ".")
        + (
            " In ABAC mode each repository has its own answer: name one above."
            if registry.access.mode is Mode.ABAC and not repository
            else ""
        )
    )
    key = f"granted {who} {registry.id} {repository}"
    if st.button("Check what I may do here", icon=":material/verified_user:"):
        st.session_state.pop(key, None)
        with panel(), st.spinner("Asking the registry"):
            client = connection.session(who).registry(registry.login_server)
            rows = ask_granted(client, registry.access.mode, repository)
            st.session_state[key] = _Told(rows, datetime.now(UTC))
    told: _Told | None = st.session_state.get(key)
    if told:
        _show(told)
        if registry.access.anonymous_pull:
            st.info("Anonymous pull is on: whoever reaches the registry pulls without signing in.")


def _show(told: _Told) -> None:
    show_rows(
        [
            {
                "Action": row.label,
                "Allowed": _WORDS[row.verdict],
                "Registry's answer": row.answer,
                "Requested scope": row.asked,
            }
            for row in told.rows
        ],
        "What the identity may do at the registry, a thing a row, with the registry's answer",
        columns={"Action": st.column_config.TextColumn(pinned=True, width=170)},
    )
    st.caption(f"Asked {ago(told.at)}. A role that was just assigned can take ten minutes to count.")
    for error in _errors(told.rows):
        show_error(error)


def _errors(rows: tuple[Granted, ...]) -> tuple[ServiceError, ...]:
    """One of each kind: what refuses signing in refuses all that comes after."""
    found = {(row.error.status, row.error.code): row.error for row in rows if row.error}
    return tuple(found.values())
