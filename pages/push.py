"""Images into a registry: from an archive on this computer, or from another registry."""

import streamlit as st

from ui import connection, selection
from ui.page import empty, header
from ui.push_image import forget_plans, show_push_form
from ui.writing import show_read_only

who = connection.who()
header("Push and import", "Images into a registry, without docker.", None, forget_plans)
chosen = selection.choose_registry(who)
if chosen is None:
    selection.show_none_chosen(who)
    st.stop()
key, registry = chosen
show_read_only()
from_file, from_registry = st.tabs(
    ["From a file", "From another registry"], on_change="rerun", key="from", bind="query-params"
)
if from_file.open:
    with from_file:
        show_push_form(who, registry)
if from_registry.open:
    with from_registry:
        empty(":material/content_copy:", "Nothing to copy from here yet", "Use `az acr import` meanwhile.")
