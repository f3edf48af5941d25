"""A new registry, and the resource group for it, in one form."""

import streamlit as st

from services import az_commands
from services.registry_order import plan_creation
from ui import connection, create_registry
from ui.done import show_done
from ui.page import az_lines, header
from ui.registry_creations import busy_names, offer_registration, show_code, show_creations, show_plan, under_way
from ui.writing import show_read_only

who = connection.who()
header(
    "Create a registry",
    "A registry, and the resource group for it, with what it will cost.",
    None,
    create_registry.forget,
)
show_done()
show_creations()
show_read_only()
place = create_registry.choose_place(who)
offer_registration(who, place)
order, book = create_registry.ask_order(who, place, busy_names())
if under_way(order):
    st.info("This one is above: under way, or how it ended.", icon=":material/arrow_upward:")
elif needed := create_registry.unanswered(order):
    st.info(f"Still needed: {', '.join(needed)}.", icon=":material/edit:")
else:
    ground = create_registry.ground_of(who, place, order)
    show_plan(who, plan_creation(order, ground, book.by_region.get(order.location), book.days))
    show_code(order)
az_lines(az_commands.list_locations(place.subscription.id), label="Where registries are offered, with az")
