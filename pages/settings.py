"""Changes a registry's settings after a plan, or deletes the registry after its name is typed."""

import streamlit as st

from services.commands.registries import show_registry
from services.registries.registry import Mode
from ui.elements.errors import panel
from ui.elements.page import az_lines, end_outline, header
from ui.elements.text import plain
from ui.loaders import registries as registry_loaders
from ui.navigation import pages, selection
from ui.navigation.links import last_step, link_to, registry_steps, step
from ui.registry_lifecycle.removal import show_removal, show_removals
from ui.registry_lifecycle.settings_change import show_changes, show_plan
from ui.registry_lifecycle.settings_form import show_form
from ui.runtime import connection

who = connection.who()
top = st.container()
# Before anything is read: a change that has just ended makes it stale.
if show_removals(who, st.query_params.get("registry", "")):
    with top:
        header("Delete registry", "", None, lambda: None, (step(pages.INVENTORY, "Registries"), last_step("Delete")))
    end_outline()
    st.stop()
show_changes(who)
listed = selection.registry_of_url(who, pages.SETTINGS)
here = {"registry": st.query_params["registry"]}
registry, at = None, None
with panel():
    loaded = registry_loaders.registry(who, listed.id)
    registry, at = loaded.value, loaded.at
with top:
    header(
        f"Settings of {plain(listed.name)}",
        "Nothing changes until you confirm",
        at,
        lambda: registry_loaders.forget_registry(who, listed),
        (*registry_steps(listed.name, **here), last_step(pages.SETTINGS.title)),
    )
if registry is None:
    st.stop()
with st.container(horizontal=True, vertical_alignment="center"):
    st.markdown(f"The SKU is **{plain(registry.sku)}**.", width="content")
    link_to(pages.SKU_COMPARISON, "Compare and change the SKU", **here)
    if registry.access.mode is Mode.LEGACY:
        link_to(pages.ACCESS_REVIEW, "Dry run of the switch to ABAC", **here, show="Switch to ABAC")

wanted = show_form(registry)
if wanted:
    show_plan(who, registry, wanted)
else:
    st.info("Fix the errors above to see the plan.", icon=":material/edit:")
az_lines(show_registry(registry.name), label="Show the settings with az")

st.subheader("Delete registry", anchor=False)
st.markdown("Deletes all its images permanently.")
if st.toggle("Show what would be deleted", key=f"lost of {registry.id}"):
    show_removal(who, registry)
