"""The form that creates a registry and, if asked for, its resource group."""

import streamlit as st

from services.commands import registries as az_registries
from services.registry_lifecycle.creation_plan import plan_creation
from ui.elements.notices import show_done
from ui.elements.page import az_lines, header
from ui.elements.writing import show_read_only
from ui.navigation import pages
from ui.registry_lifecycle import creation_form
from ui.registry_lifecycle.creation_runs import (
    has_run,
    names_of_runs,
    offer_registration,
    show_code,
    show_creations,
    show_plan,
)
from ui.runtime import connection

who = connection.who()
header(
    pages.CREATE_REGISTRY.title,
    "",
    None,
    lambda: creation_form.forget(who),
)
show_done()
show_creations()
show_read_only()
place = creation_form.choose_place(who)
offer_registration(who, place)
spec, book = creation_form.ask_spec(who, place, names_of_runs())
if spec is None:
    st.info("Correct the tags above.", icon=":material/edit:")
elif has_run(spec):
    st.info("This registry is listed above, with its progress or result.", icon=":material/arrow_upward:")
elif needed := creation_form.missing_answers(spec):
    st.info(f"Required: {', '.join(needed)}.", icon=":material/edit:")
else:
    facts = creation_form.facts_of(who, place, spec)
    show_plan(who, plan_creation(spec, facts, book.by_region.get(spec.location), book.days))
    show_code(spec)
az_lines(az_registries.list_locations(place.subscription.id), label="List the locations with az")
