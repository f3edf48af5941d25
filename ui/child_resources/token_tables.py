"""The tables of a registry's tokens, of its scope maps, and of one token's passwords."""

from datetime import UTC, datetime

import pyarrow as pa
import streamlit as st

from services.child_resources.token_removal import users_of
from services.child_resources.tokens import Token
from ui.child_resources.tokens import Listing, grant_words, password_words
from ui.elements.page import empty
from ui.elements.table import UTC as UTC_TIME
from ui.elements.table import table_height, table_of

_TEXTS = pa.list_(pa.string())


def show_tokens(listing: Listing, key: str) -> str | None:
    """The tokens that the search lets through; the name of the one that is opened."""
    if not listing.tokens:
        empty(":material/vpn_key:", "No tokens", "Nobody signs in to this registry with a token of its own.")
        return None
    search = st.text_input("Search", key="search", type="search", placeholder="Name or repository", bind="query-params")
    wanted = (search or "").casefold().strip()
    shown = [
        token
        for token in listing.tokens
        if any(wanted in text.casefold() for text in (token.name, *grant_words(listing.map_of(token))))
    ]
    if not shown:
        empty(":material/filter_alt_off:", "No token matches", "Clear the search above.")
        return None
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
    selected = st.dataframe(
        table_of(rows, {"May": _TEXTS, "Passwords": _TEXTS, "Created": UTC_TIME}),
        key=f"tokens of {key}",
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
    return names[selected.selection.rows[0]] if selected.selection.rows else named


def show_maps(listing: Listing, key: str) -> None:
    """Those of the team first: they are what can be changed."""
    rows = [
        {
            "Name": one.name,
            "Kind": "system" if one.system else "own",
            "Allows": grant_words(one),
            "Tokens": list(users_of(one.id, listing.tokens)),
            "Description": one.description,
        }
        for one in sorted(listing.maps, key=lambda one: one.system)
    ]
    st.dataframe(
        table_of(rows, {"Name": pa.string(), "Allows": _TEXTS, "Tokens": _TEXTS}),
        key=f"scope maps of {key}",
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


def show_passwords(token: Token) -> None:
    """When they were made and when they end; what they are, nobody can list."""
    if not token.passwords:
        empty(":material/key_off:", "No password", "Without one nobody can sign in with this token: make one above.")
        return
    now = datetime.now(UTC)
    state = "works" if token.enabled else "refused: the token is disabled"
    rows = [
        {
            "Password": password.name,
            "Made": password.created,
            "Ends": password.expiry,
            "State": "ended" if password.expiry and password.expiry <= now else state,
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
