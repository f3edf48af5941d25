"""A new registry, and the resource group for it, in one form."""

import streamlit as st

from services.commands import registries as az_registries
from services.registry_lifecycle.creation_plan import plan_creation
from ui.elements.notices import show_done
from ui.elements.page import az_lines, header
from ui.elements.writing import show_read_only
from ui.navigation import pages
from ui.registry_lifecycle import creation_form
from ui.registry_lifecycle.creation_runs import (
    busy_names,
    offer_registration,
    show_code,
    show_creations,
    show_plan,
    under_way,
)
from ui.runtime import connection

who = connection.who()
header(
    pages.CREATE_REGISTRY.title,
    "With its resource group and its cost",
    None,
    lambda: creation_form.forget(who),
)
show_done()
show_creations()
show_read_only()
place = creation_form.choose_place(who)
offer_registration(who, place)
order, book = creation_form.ask_order(who, place, busy_names())
if order is None:
    st.info("Correct the tags above.", icon=":material/edit:")
elif under_way(order):
    st.info("This registry is listed above, with its progress or result.", icon=":material/arrow_upward:")
elif needed := creation_form.unanswered(order):
    st.info(f"Required: {', '.join(needed)}.", icon=":material/edit:")
else:
    ground = creation_form.ground_of(who, place, order)
    show_plan(who, plan_creation(order, ground, book.by_region.get(order.location), book.days))
    show_code(order)
az_lines(az_registries.list_locations(place.subscription.id), label="List the regions with az")
