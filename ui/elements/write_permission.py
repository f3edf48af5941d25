"""The permission to change Azure that the browser session of the running script has.

The application decides it for each connection (`ui/runtime/write_access.py`) and passes it in a header that it removes
from what browsers send.
"""

import json
from dataclasses import asdict

import streamlit as st
from streamlit.runtime import Runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from services.connection.write_permission import WritePermission

HEADER = "x-acr-console-changes"
_NO_SESSION = WritePermission("No browser session asked for it.")


def as_header(permission: WritePermission) -> bytes:
    """The value of `HEADER`, in ASCII."""
    return json.dumps(asdict(permission)).encode("ascii")


def current() -> WritePermission:
    """The permission of the running script's session; outside a script, or without the header, nothing is allowed."""
    if get_script_run_ctx(suppress_warning=True) is None or not Runtime.exists():
        return _NO_SESSION
    stamp = st.context.headers.get(HEADER)
    if stamp is None:
        return _NO_SESSION
    return WritePermission(**json.loads(stamp))
