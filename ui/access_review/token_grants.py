"""What the present identity may do on a registry, as the registry itself answers."""

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

_WORDS = {Verdict.YES: "✓ yes", Verdict.NO: "✗ no", Verdict.UNKNOWN: "? unknown"}


@dataclass(frozen=True)
class _Answers:
    """What the registry answered, and when."""

    rows: tuple[Granted, ...]
    at: datetime


def show_granted(who: str, registry: Registry, repository: str) -> None:
    """The button, and its last answer for this repository."""
    st.markdown(
        f"As **{plain(connection.session(who).identity.name)}**: the registry is asked for a token with every "
        "permission, and answers what it grants"
        + (f" on **{plain(repository)}**." if repository else ".")
        + (
            " In ABAC mode the answer depends on the repository: enter one above."
            if registry.access.mode is Mode.ABAC and not repository
            else ""
        )
    )
    key = f"granted {who} {registry.id} {repository}"
    if st.button("Check my permissions", icon=":material/verified_user:"):
        st.session_state.pop(key, None)
        with panel(), st.spinner("Asking the registry"):
            client = connection.session(who).registry(registry.login_server)
            rows = ask_granted(client, registry.access.mode, repository)
            st.session_state[key] = _Answers(rows, datetime.now(UTC))
    answers: _Answers | None = st.session_state.get(key)
    if answers:
        _show(answers)
        if registry.access.anonymous_pull:
            st.info("Anonymous pull is on: anyone who can reach the registry can pull without signing in.")


def _show(answers: _Answers) -> None:
    show_rows(
        [
            {
                "Action": row.label,
                "Allowed": _WORDS[row.verdict],
                "Registry's answer": row.answer,
                "Requested scope": row.asked,
            }
            for row in answers.rows
        ],
        "What the identity may do on the registry, one action per row, with the registry's answer",
        columns={"Action": st.column_config.TextColumn(width=170)},
    )
    st.caption(f"Asked {ago(answers.at)}. A new role assignment can take ten minutes to take effect.")
    for error in _errors(answers.rows):
        show_error(error)


def _errors(rows: tuple[Granted, ...]) -> tuple[ServiceError, ...]:
    """Each error once: a refused sign-in refuses everything else."""
    found = {(row.error.status, row.error.code): row.error for row in rows if row.error}
    return tuple(found.values())
