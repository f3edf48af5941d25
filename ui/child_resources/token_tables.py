"""The tables of a registry's tokens, of its scope maps, and of one token's passwords."""

from datetime import UTC, datetime

import pyarrow as pa
import streamlit as st

from services.child_resources.tokens import Token, users_of
from ui.child_resources.tokens import Listing, grant_words, password_words
from ui.elements.columns import ago_column, time_column
from ui.elements.page import empty
from ui.elements.selectable_table import selectable
from ui.elements.table import TEXTS, show_rows
from ui.elements.table import UTC as UTC_TIME


def show_tokens(listing: Listing, key: str) -> str | None:
    """The tokens that the search lets through; the name of the one that is opened."""
    if not listing.tokens:
        empty(":material/vpn_key:", "No tokens", "Create one for what has no identity in Entra.")
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
    opened = selectable(
        shown,
        lambda token: {
            "Name": token.name,
            "Status": token.status,
            "Permissions": grant_words(listing.map_of(token)),
            "Passwords": [password_words(password) for password in token.passwords],
            "Created": token.created,
            "Scope map": token.scope_map,
        },
        f"tokens of {key}",
        "Tokens, one a row",
        columns={
            "Name": st.column_config.TextColumn(pinned=True),
            "Permissions": st.column_config.ListColumn(width="medium"),
            "Passwords": st.column_config.ListColumn(width="medium"),
            "Created": ago_column(),
        },
        types={"Permissions": TEXTS, "Passwords": TEXTS, "Created": UTC_TIME},
    )
    st.caption("Select a row to open a token, or name it here.")
    names = [token.name for token in shown]
    named = st.selectbox("Open a token", names, index=None, placeholder="Name", width=320)
    return opened.name if opened else named


def show_maps(listing: Listing, key: str) -> None:
    """Those of the team first: they are what can be changed."""
    show_rows(
        [
            {
                "Name": one.name,
                "Kind": "system" if one.system else "custom",
                "Permissions": grant_words(one),
                "Tokens": list(users_of(one.id, listing.tokens)),
                "Description": one.description,
            }
            for one in sorted(listing.maps, key=lambda one: one.system)
        ],
        "Scope maps, one a row",
        key=f"scope maps of {key}",
        columns={
            "Name": st.column_config.TextColumn(pinned=True),
            "Permissions": st.column_config.ListColumn(width="medium"),
            "Tokens": st.column_config.ListColumn(),
        },
        types={"Name": pa.string(), "Permissions": TEXTS, "Tokens": TEXTS},
    )


def show_passwords(token: Token) -> None:
    """When they were made and when they end; what they are, nobody can list."""
    if not token.passwords:
        empty(":material/key_off:", "No passwords", "Generate one above to sign in with this token.")
        return
    now = datetime.now(UTC)
    state = "valid" if token.enabled else "refused: the token is disabled"
    show_rows(
        [
            {
                "Password": password.name,
                "Created": password.created,
                "Expires": password.expiry,
                "State": "expired" if password.expiry and password.expiry <= now else state,
            }
            for password in token.passwords
        ],
        "The token's passwords: when they were created and when they expire, not what they are",
        columns={"Created": ago_column(), "Expires": time_column("Empty: it does not expire")},
        types={"Created": UTC_TIME, "Expires": UTC_TIME},
        placeholder="never",
    )
    st.caption("What a password is, Azure tells once, when it is made.")
