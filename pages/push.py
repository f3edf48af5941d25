"""Pushes an archive from this computer to a registry, or imports an image from another registry."""

import streamlit as st

from ui.elements.page import empty, header
from ui.elements.writing import may_write, show_read_only
from ui.navigation import pages, selection
from ui.navigation.links import last_step, registry_steps
from ui.navigation.url_choice import check_url
from ui.runtime import connection
from ui.transfer import copy
from ui.transfer.push import forget_plans, show_push_form

who = connection.who()
registry = selection.ready_registry_of_url(who, pages.PUSH)
path = (*registry_steps(registry.name, st.query_params["registry"]), last_step(pages.PUSH.title))
header(pages.PUSH.title, "No docker needed", None, forget_plans, path)
show_read_only()
copy.show_copies(who, copy.COPY)
tabs = ["From a file", "From another registry"]
check_url("from", "tab", tabs)
from_file, from_registry = st.tabs(tabs, on_change="rerun", key="from", bind="query-params")
if from_file.open:
    with from_file:
        show_push_form(who, registry)
if from_registry.open:
    with from_registry:
        if may_write():
            copy.show_copy_form(who, registry)
        else:
            empty(":material/lock:", "Copying is disabled", "This console is read-only.")
