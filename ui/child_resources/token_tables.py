"""The tables of a registry's tokens, of its scope maps, and of one token's passwords."""

from datetime import UTC, datetime

import pyarrow as pa
import streamlit as st

from services.child_resources.tokens import Token, users_of
from ui.child_resources.tokens import Listing, grant_words, password_words
from ui.elements.columns import ago_column, time_column
from ui.elements.page import empty
from ui.elements.selectable_table import openable
from ui.elements.table import TEXTS, show_rows
from ui.elements.table import UTC as UTC_TIME


def show_tokens(listing: Listing, key: str) -> str | None:
    """Shows the tokens that match the search; returns the name of the opened one."""
    if not listing.tokens.values:
        if not listing.tokens.refused:
            empty(":material/vpn_key:", "No tokens", "Create one for a client without an Entra identity.")
        return None
    search = st.text_input(
        "Search", key="search", type="search", placeholder="Name or repository", bind="query-params", width=320
    )
    wanted = (search or "").casefold().strip()
    shown = [
        token
        for token in listing.tokens.values
        if any(wanted in text.casefold() for text in (token.name, *listing.permissions_of(token)))
    ]
    if not shown:
        empty(":material/filter_alt_off:", "No token matches", "Clear the search above.")
        return None
    opened = openable(
        shown,
        lambda token: {
            "Name": token.name,
            "Status": token.status,
            "Permissions": listing.permissions_of(token),
            "Passwords": [password_words(password) for password in token.passwords],
            "Created": token.created,
            "Scope map": token.scope_map,
        },
        f"tokens of {key}",
        "Tokens, one per row",
        columns={
            "Permissions": st.column_config.ListColumn(width="medium"),
            "Passwords": st.column_config.ListColumn(width="medium"),
            "Created": ago_column(),
        },
        types={"Permissions": TEXTS, "Passwords": TEXTS, "Created": UTC_TIME},
    )
    return opened.name if opened else None


def show_maps(listing: Listing, key: str) -> None:
    """Shows the scope maps, custom ones first: system ones can't be changed."""
    show_rows(
        [
            {
                "Name": one.name,
                "Kind": "System" if one.system else "Custom",
                "Permissions": grant_words(one),
                "Tokens": list(users_of(one.id, listing.tokens.values)),
                "Description": one.description,
            }
            for one in sorted(listing.maps.values, key=lambda one: one.system)
        ],
        "Scope maps, one per row",
        key=f"scope maps of {key}",
        columns={
            "Permissions": st.column_config.ListColumn(width="medium"),
            "Tokens": st.column_config.ListColumn(),
        },
        types={"Name": pa.string(), "Permissions": TEXTS, "Tokens": TEXTS},
    )


def show_passwords(token: Token) -> None:
    """Shows when each password was created and when it expires. Nobody can list the passwords themselves."""
    if not token.passwords:
        empty(":material/key_off:", "No passwords", "Generate one above to sign in with this token.")
        return
    now = datetime.now(UTC)
    status = "Valid" if token.enabled else "Refused: the token is disabled"
    show_rows(
        [
            {
                "Password": password.name,
                "Created": password.created,
                "Expires": password.expiry,
                "Status": "Expired" if password.expiry and password.expiry <= now else status,
            }
            for password in token.passwords
        ],
        "The token's passwords: when they were created and when they expire, not what they are",
        columns={"Created": ago_column(), "Expires": time_column()},
        types={"Created": UTC_TIME, "Expires": UTC_TIME},
        placeholder="never",
    )
    st.caption("Azure shows a password only once, when it is generated.")
