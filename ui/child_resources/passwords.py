"""A new password for a token, shown once: it is only in this run of the dialog, and in no state, cache, URL or log."""

from datetime import UTC, datetime

import streamlit as st

from services.child_resources.passwords import NAMES, NewPassword, apply_password, plan_password, spare_name
from services.child_resources.tokens import Token
from services.commands import sign_in as az_sign_in
from services.connection.errors import ServiceError
from services.jobs.audit import record_view
from services.jobs.changes import Answer, Change
from services.registries.registry import Registry
from ui.child_resources import tokens
from ui.elements.errors import show_error
from ui.elements.notices import dialog
from ui.elements.text import as_option, exact, plain
from ui.elements.writing import confirm, dialog_panel
from ui.runtime import connection
from ui.runtime.changes import run
from ui.runtime.database import database

_LIFETIMES = {"1 day": 1, "1 week": 7, "30 days": 30, "90 days": 90, "1 year": 365, "Never": None}
_CLOSE = "close the dialog of the new password"


@dialog("Generate password", width="large")
def new_password(who: str, registry: Registry, token: Token) -> None:
    """Asks which one and for how long, generates it, and shows it. Any rerun forgets it."""
    if st.session_state.pop(_CLOSE, False):
        st.rerun()
    with dialog_panel():
        form = st.empty()
        with form.container():
            now = datetime.now(UTC)
            left, right = st.columns(2)
            name = left.segmented_control(
                "Password", NAMES, default=spare_name(token, now), required=True, format_func=as_option
            )
            lifetime = right.selectbox("Expires after", list(_LIFETIMES), index=list(_LIFETIMES).index("30 days"))
            plan = plan_password(registry, token, name or NAMES[0], _LIFETIMES[lifetime], now)
            st.markdown("It is shown here once: Azure does not show it again, and this console does not keep it.")
            label = "Generate password"
            confirmed = confirm(plan, label, access=True)
        if not confirmed:
            return
        session = connection.session(who)
        password = run(
            label,
            Change(label, f"{registry.name}, token {token.name}", plan.commands),
            lambda report: apply_password(session, plan, report),
            lambda: tokens.forget(who, registry),
            lambda made: Answer(f"{made.name} of {plain(made.token)} generated."),
        )
        form.empty()
        _record_view(who, registry, token)
        _show(registry, password)


def _record_view(who: str, registry: Registry, token: Token) -> None:
    """It is shown even where that can't be recorded: it was generated, which is recorded, and is nowhere else."""
    try:
        record_view(database(), who, "Password", f"{registry.name}, token {token.name}")
    except ServiceError as error:
        show_error(error)


def _show(registry: Registry, password: NewPassword) -> None:
    until = f"expires {exact(password.expiry)}" if password.expiry else "does not expire"
    st.success(
        f"{password.name} of **{plain(password.token)}** generated, {until}. Copy it now: it is not shown again.",
        icon=":material/key:",
    )
    st.code(password.value, language=None, wrap_lines=True)
    st.markdown("To sign in with it, with the password in TOKEN_PASSWORD:")
    st.code(az_sign_in.sign_in_as_token(password.token, registry.login_server), language=None, wrap_lines=True)
    st.button("Done", type="primary", on_click=st.session_state.__setitem__, args=(_CLOSE, True))
