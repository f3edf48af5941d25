"""A registry's tokens and scope maps, and one token with its passwords."""

from datetime import UTC, datetime

import pyarrow as pa
import streamlit as st

from services import az_commands
from services.errors import ServiceError
from services.registries import Registry
from services.registry_tokens import Token
from services.scope_maps import map_blockers
from services.skus import LIMITS, sku_of
from services.token_removal import users_of
from ui import connection, loaders, selection, tokens
from ui.done import show_done
from ui.errors import show_error
from ui.page import az_lines, crumb, empty, header
from ui.table import UTC as UTC_TIME
from ui.table import show_facts, table_height, table_of
from ui.text import ago, count, exact, plain
from ui.token_password import new_password
from ui.tokens import Listing, grant_words, password_words
from ui.writing import may_write, show_read_only

who = connection.who()
here = {"registry": st.query_params.get("registry", "")}


def show_all(registry: Registry, listing: Listing) -> None:
    sku = sku_of(registry.sku)
    most = f" of at most {LIMITS[sku].tokens:,} that {sku} has" if sku else ""
    st.markdown(
        f"{count(len(listing.tokens), 'token')}{most}. A token is for what has no identity in Entra, such as a device: "
        "a name, two passwords, and rights in chosen repositories."
    )
    if st.button("Make a token", icon=":material/add:", type="primary", disabled=not may_write()):
        tokens.make(who, registry, listing)
    show_tokens(listing)
    show_maps(registry, listing)


def show_tokens(listing: Listing) -> None:
    if not listing.tokens:
        empty(":material/vpn_key:", "No tokens", "Nobody signs in to this registry with a token of its own.")
        return
    search = st.text_input("Search", key="search", type="search", placeholder="Name or repository", bind="query-params")
    wanted = (search or "").casefold().strip()
    shown = [
        token
        for token in listing.tokens
        if any(wanted in text.casefold() for text in (token.name, *grant_words(listing.map_of(token))))
    ]
    if not shown:
        empty(":material/filter_alt_off:", "No token matches", "Clear the search above.")
        return
    rows = [
        {
            "Name": token.name,
            "Status": token.status,
            "May": grant_words(listing.map_of(token)),
            "Passwords": [password_words(password) for password in token.passwords],
            "Created": token.created,
            "Scope map": token.scope_map,
        }
        for token in shown
    ]
    texts = pa.list_(pa.string())
    selected = st.dataframe(
        table_of(rows, {"May": texts, "Passwords": texts, "Created": UTC_TIME}),
        key="tokens",
        height=table_height(len(rows)),
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        placeholder="–",
        alt="Tokens, one a row",
        column_config={
            "Name": st.column_config.TextColumn(pinned=True),
            "May": st.column_config.ListColumn(width="medium"),
            "Passwords": st.column_config.ListColumn(width="medium"),
            "Created": st.column_config.DatetimeColumn(format="distance"),
        },
    )
    st.caption("Select a row to open a token, or name it here.")
    names = [token.name for token in shown]
    named = st.selectbox("Open a token", names, index=None, placeholder="Name", width=320)
    if opened := names[selected.selection.rows[0]] if selected.selection.rows else named:
        st.switch_page("tokens.py", query_params={**here, "token": opened})


def show_maps(registry: Registry, listing: Listing) -> None:
    st.subheader("Scope maps", anchor=False)
    st.markdown("What tokens may do. Those of the system are the registry's own, and can't be changed.")
    users = {one.id: users_of(one.id, listing.tokens) for one in listing.maps}
    rows = [
        {
            "Name": one.name,
            "Kind": "system" if one.system else "own",
            "Allows": grant_words(one),
            "Tokens": list(users[one.id]),
            "Description": one.description,
        }
        for one in sorted(listing.maps, key=lambda one: one.system)
    ]
    texts = pa.list_(pa.string())
    st.dataframe(
        table_of(rows, {"Name": pa.string(), "Allows": texts, "Tokens": texts}),
        key="scope maps",
        height=table_height(len(rows)),
        hide_index=True,
        placeholder="–",
        alt="Scope maps, one a row",
        column_config={
            "Name": st.column_config.TextColumn(pinned=True),
            "Allows": st.column_config.ListColumn(width="medium"),
            "Tokens": st.column_config.ListColumn(),
        },
    )
    unused = [one for one in listing.maps if not map_blockers(one, users[one.id])]
    if unused and st.button("Remove a scope map", icon=":material/delete:", disabled=not may_write()):
        tokens.remove_map(who, registry, listing)


def show_one(registry: Registry, listing: Listing, token: Token) -> None:
    scope_map = listing.map_of(token)
    show_facts(
        {
            "Status": token.status,
            "Scope map": plain(token.scope_map) or "none",
            "May": "  \n".join(plain(words) for words in grant_words(scope_map)),
            "Created": f"{ago(token.created)} ({exact(token.created)})",
        }
    )
    with st.container(horizontal=True):
        if st.button("New password", icon=":material/key:", type="primary", disabled=not may_write()):
            new_password(who, registry, token)
        label = "Disable" if token.enabled else "Enable"
        if st.button(label, icon=":material/power_settings_new:", disabled=not may_write()):
            tokens.change_status(who, registry, token)
        if st.button("Remove", icon=":material/delete:", disabled=not may_write()):
            tokens.remove(who, registry, token, listing)
    st.subheader("Passwords", anchor=False)
    if not token.passwords:
        empty(":material/key_off:", "No password", "Without one nobody can sign in with this token: make one above.")
        return
    rows = [
        {
            "Password": password.name,
            "Made": password.created,
            "Ends": password.expiry,
            "State": "ended" if password.expiry and password.expiry <= datetime.now(UTC) else "works",
        }
        for password in token.passwords
    ]
    st.dataframe(
        table_of(rows, {"Made": UTC_TIME, "Ends": UTC_TIME}),
        hide_index=True,
        placeholder="never",
        alt="The token's passwords: when they were made and when they end, not what they are",
        column_config={
            "Made": st.column_config.DatetimeColumn(format="distance"),
            "Ends": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm [UTC]", timezone="UTC"),
        },
    )
    st.caption("What a password is, Azure tells once, when it is made.")


listed = selection.registry_of_url(who)
name = st.query_params.get("token", "")
if name:
    crumb("tokens.py", "Tokens", **here)
else:
    crumb("registry.py", listed.name, **here)
listing: Listing | None = None
at, failure, registry = None, None, listed
try:
    registry = loaders.registry(who, listed.id).value
    loaded = tokens.listed(who, registry.id, registry)
    listing, at = loaded.value, loaded.at
except ServiceError as error:
    failure = error
header(
    plain(name) if name else "Tokens",
    f"{plain(registry.name)}, {plain(registry.sku)}, in {plain(registry.location)}",
    at,
    lambda: tokens.forget(who, registry),
)
show_done()
show_read_only()
if failure:
    show_error(failure)
elif listing and not name:
    show_all(registry, listing)
    az_lines(az_commands.list_tokens(registry.name), az_commands.list_scope_maps(registry.name))
elif listing:
    token = next((one for one in listing.tokens if one.name.casefold() == name.casefold()), None)
    if token:
        show_one(registry, listing, token)
        az_lines(
            az_commands.generate_token_password(registry.name, token.name, "password1", 30),
            az_commands.sign_in_as_token(token.name, registry.login_server),
        )
    else:
        empty(":material/vpn_key:", "No such token", "It may be removed meanwhile: refresh the list.")
