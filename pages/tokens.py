"""A registry's tokens and scope maps, and one token with its passwords."""

import streamlit as st

from services.child_resources.tokens import Token, users_of
from services.commands import child_resources as az_child_resources
from services.commands import sign_in as az_sign_in
from services.connection.errors import ServiceError
from services.registries.registry import Registry
from services.registries.skus import LIMITS, sku_of
from services.wording import counted
from ui.child_resources import tokens
from ui.child_resources.passwords import new_password
from ui.child_resources.token_tables import show_maps, show_passwords, show_tokens
from ui.child_resources.tokens import Listing
from ui.elements.errors import Part, show_error, show_partial
from ui.elements.notices import show_done
from ui.elements.page import az_lines, empty, header
from ui.elements.table import show_facts
from ui.elements.text import ago, exact, plain
from ui.elements.writing import may_write, show_read_only
from ui.loaders import registries as registry_loaders
from ui.navigation import pages, selection
from ui.navigation.links import last_step, open_page, registry_steps, step
from ui.runtime import connection

who = connection.who()
here = {"registry": st.query_params.get("registry", "")}


def show_all(registry: Registry, listing: Listing) -> None:
    sku = sku_of(registry.sku)
    limit = f" of at most {LIMITS[sku].tokens:,} in {sku}" if sku else ""
    number = f"{'At least ' if listing.tokens.refused else ''}{counted(len(listing.tokens.values), 'token')}"
    st.markdown(
        f"{number}{limit}",
        help="A token is for a client without an Entra identity, such as a device: a name, two passwords, and "
        "permissions on chosen repositories",
    )
    if actions.button("Create token", icon=":material/add:", type="primary", disabled=not may_write(access=True)):
        tokens.create(who, registry, listing)
    show_partial(Part(listing.tokens, "token"), Part(listing.maps, "scope map"))
    if opened := show_tokens(listing, registry.id):
        open_page(pages.TOKENS, **here, token=opened)
    st.subheader("Scope maps", anchor=False, help="What tokens can do. System scope maps can't be changed")
    show_maps(listing, registry.id)
    unused = any(not one.system and not users_of(one.id, listing.tokens.values) for one in listing.maps.values)
    if unused and st.button("Delete scope map", icon=":material/delete:", disabled=not may_write(access=True)):
        tokens.delete_map(who, registry, listing)


def show_one(registry: Registry, listing: Listing, token: Token) -> None:
    show_facts(
        {
            "Status": plain(token.status),
            "Scope map": plain(token.scope_map) or "None",
            "Permissions": "  \n".join(plain(words) for words in listing.permissions_of(token)),
            "Created": f"{ago(token.created)} ({exact(token.created)})",
        }
    )
    status, delete = f"{'Disable' if token.enabled else 'Enable'} token", "Delete token"
    with actions:
        if st.button("Generate password", icon=":material/key:", type="primary", disabled=not may_write(access=True)):
            new_password(who, registry, token)
        chosen = st.menu_button(
            "More", [status, delete], icon=":material/more_horiz:", disabled=not may_write(access=True)
        )
    if chosen == status:
        tokens.change_status(who, registry, token)
    elif chosen == delete:
        tokens.delete(who, registry, token, listing)
    st.subheader("Passwords", anchor=False)
    show_passwords(token)


listed = selection.registry_of_url(who, pages.TOKENS)
name = st.query_params.get("token", "")
below = (step(pages.TOKENS, **here), last_step(name)) if name else (last_step(pages.TOKENS.title),)
listing: Listing | None = None
at, failure, registry = None, None, listed
try:
    registry = registry_loaders.registry(who, listed.id).value
    loaded = tokens.listed(who, registry)
    listing, at = loaded.value, loaded.at
except ServiceError as error:
    failure = error
actions = header(
    plain(name) if name else "Tokens",
    f"{plain(registry.name)}, {plain(registry.sku)}, in {plain(registry.location)}",
    at,
    lambda: tokens.forget(who, registry),
    (*registry_steps(listed.name, **here), *below),
)
show_done()
show_read_only(access=True)
if failure:
    show_error(failure)
elif listing and not name:
    show_all(registry, listing)
    az_lines(az_child_resources.list_tokens(registry.name), az_child_resources.list_scope_maps(registry.name))
elif listing:
    token = next((one for one in listing.tokens.values if one.name.casefold() == name.casefold()), None)
    if token:
        show_one(registry, listing, token)
        az_lines(
            az_child_resources.generate_token_password(registry.name, token.name, "password1", 30),
            az_sign_in.sign_in_as_token(token.name, registry.login_server),
        )
    else:
        show_partial(Part(listing.tokens, "token"))
        empty(":material/vpn_key:", "No such token", "It may have been deleted. Refresh the list.")
