"""The form that creates a registry and, if asked for, its resource group."""

import streamlit as st

from services.commands import registries as az_registries
from services.registry_lifecycle.creation_plan import RegistrySpec, plan_creation
from ui.elements.notices import show_done
from ui.elements.page import az_lines, header
from ui.elements.writing import may_write, show_read_only
from ui.navigation import pages
from ui.navigation.links import last_step, step
from ui.registry_lifecycle import creation_form
from ui.registry_lifecycle.creation_runs import (
    has_run,
    is_created,
    names_of_runs,
    offer_registration,
    show_code,
    show_creations,
    show_plan,
)
from ui.registry_lifecycle.group_creation import create_resource_group
from ui.runtime import connection

who = connection.who()
actions = header(
    pages.CREATE_REGISTRY.title,
    "",
    None,
    lambda: creation_form.forget(who),
    (step(pages.INVENTORY, "Registries"), last_step(pages.CREATE_REGISTRY.title)),
)
show_done()
show_creations(who)
if is_created(who):
    st.stop()
show_read_only()
notices = st.container()
with st.container(border=True):
    st.subheader("Place", anchor=False)
    subscription_box, location_box = st.columns(2)
    with notices:
        place = creation_form.choose_place(who, subscription_box)
    offer_registration(who, place)
    group, new_group, location = creation_form.ask_place(place, location_box)
if actions.button("Create resource group", icon=":material/create_new_folder:", disabled=not may_write()):
    create_resource_group(who, place)
with st.container(border=True):
    st.subheader("Registry", anchor=False)
    asked, book = creation_form.ask_registry(who, place, group, location, names_of_runs(who))
with st.container(border=True):
    st.subheader("Access", anchor=False)
    mode, public = creation_form.ask_access()
if asked.tags is None:
    st.info("Correct the tags above.", icon=":material/edit:")
else:
    spec = RegistrySpec(
        place.subscription.id,
        group,
        new_group,
        asked.name,
        asked.sku,
        location,
        mode,
        public,
        asked.scope,
        asked.tags,
    )
    if has_run(who, spec):
        st.info("This registry is listed above, with its progress or result.", icon=":material/arrow_upward:")
    elif needed := creation_form.missing_answers(spec):
        st.info(f"Required: {', '.join(needed)}.", icon=":material/edit:")
    else:
        facts = creation_form.facts_of(who, place, spec)
        show_plan(who, plan_creation(spec, facts, book.by_region.get(spec.location), book.days))
        show_code(spec)
az_lines(az_registries.list_locations(place.subscription.id), label="List the locations with az")
