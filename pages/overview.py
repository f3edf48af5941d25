"""The start page: the state of the estate."""

from ui.elements.page import header
from ui.loaders import registries as registry_loaders
from ui.navigation import pages
from ui.navigation.links import link_to
from ui.runtime import connection

who = connection.who()
inventory = registry_loaders.inventory(who)
header(
    pages.OVERVIEW.title,
    "",
    None if inventory.running else inventory.at,
    lambda: registry_loaders.inventory.clear(who),
)
link_to(pages.INVENTORY)
