"""A new password for a token, shown once: it is in this run of the dialog alone, and in no state, cache, URL or log."""

from datetime import UTC, datetime

import streamlit as st

from services.child_resources.token_passwords import NAMES, NewPassword, generate_password, plan_password, spare_name
from services.child_resources.tokens import Token
from services.commands import child_resources as az_child_resources
from services.commands import sign_in as az_sign_in
from services.registries.registry import Registry
from ui.child_resources import tokens
from ui.elements.errors import panel
from ui.elements.text import exact, plain
from ui.elements.writing import may_write, show_objections, show_read_only
from ui.runtime import connection

_ENDS = {"a day": 1, "a week": 7, "30 days": 30, "90 days": 90, "a year": 365, "for good": None}
_CLOSE = "close the dialog of the new password"


@st.dialog("New password", width="large", on_dismiss="rerun")
def new_password(who: str, registry: Registry, token: Token) -> None:
    """Asks which and for how long, has it made, and shows it. The next run of anything forgets it."""
    if st.session_state.pop(_CLOSE, False):
        st.rerun()
    with panel():
        form = st.empty()
        with form.container():
            now = datetime.now(UTC)
            left, right = st.columns(2)
            name = left.segmented_control("Which", NAMES, default=spare_name(token, now), required=True)
            ends = right.selectbox("It works for", list(_ENDS), index=list(_ENDS).index("30 days"))
            plan = plan_password(registry, token, name or NAMES[0], _ENDS[ends], now)
            show_objections((), plan.warnings)
            st.markdown("It is shown once, here. Azure does not tell it again, and this console does not keep it.")
            line = az_child_resources.generate_token_password(registry.name, token.name, plan.name, _ENDS[ends])
            st.code(line, language="bash", wrap_lines=True)
            show_read_only()
            asked = st.button("Make the password", type="primary", disabled=not may_write())
        if not asked:
            return
        try:
            with st.spinner("Azure makes the password"):
                made = generate_password(connection.session(who), plan)
        finally:  # Also what failed may have been done.
            tokens.forget(who, registry)
        form.empty()
        _show(registry, made)


def _show(registry: Registry, made: NewPassword) -> None:
    until = f"until {exact(made.expiry)}" if made.expiry else "without end"
    st.success(
        f"{made.name} of **{plain(made.token)}** is made, {until}. Copy it now: nobody sees it again.",
        icon=":material/key:",
    )
    st.code(made.value, language=None, wrap_lines=True)
    st.markdown("To sign in with it, with the password in TOKEN_PASSWORD:")
    st.code(az_sign_in.sign_in_as_token(made.token, registry.login_server), language="bash", wrap_lines=True)
    st.button("I have copied it", type="primary", on_click=st.session_state.__setitem__, args=(_CLOSE, True))
