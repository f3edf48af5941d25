"""What happened in a registry, as a table: push, pull, untag, delete, with who, from where, and how it ended."""

import re
from collections.abc import Iterable, Sequence

import streamlit as st

from services.connection.parallel import Partial, Refusal
from services.pulls.events import RegistryEvent
from services.registries.registry import Registry
from ui.elements.columns import ago_column
from ui.elements.errors import Part, show_error, show_partial
from ui.elements.page import empty
from ui.elements.skeleton import Shape
from ui.elements.table import show_rows
from ui.elements.text import plain, short
from ui.loaders.principals import PrincipalNames, read_names, sorted_ids
from ui.loaders.pulls import changes, registry_pulls
from ui.pulls.logging import offer_logging
from ui.runtime.background import show_progress

_GUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
ANONYMOUS = "Anonymous"


def names_of_callers(who: str, identities: Iterable[str], key: str) -> PrincipalNames:
    """The names that the directory has for those identities that are object ids."""
    reading = read_names(who, sorted_ids(one for one in identities if _GUID.fullmatch(one)))
    show_progress(reading, f"names of callers {key}", stop="")
    return PrincipalNames(reading.value, unread=reading.error or reading.value.unread, running=reading.running)


def caller_name(identity: str, names: PrincipalNames) -> str:
    """Who did something: the name of an object id, or the name of a token or of the registry's admin user."""
    if not identity:
        return ANONYMOUS
    return names.label(identity) if _GUID.fullmatch(identity) else identity


def show_image_events(who: str, registry: Registry, repository: str, digest: str, tags: tuple[str, ...]) -> None:
    """Who pushed, untagged or deleted an image, as far as the registry's logs go back."""
    pulls = registry_pulls(who, registry)
    show_progress(pulls, f"pulls of {registry.id}", stop="")
    if pulls.value.logged is False:
        offer_logging(who, registry, pulls, "Events unknown. ")
        return
    reading = changes(who, registry)
    show_progress(reading, f"changes of {registry.id}", stop="", shape=Shape.TABLE)
    if reading.error:
        show_error(reading.error)
    if reading.error or reading.running:
        return
    found = reading.value.of_image(repository, digest, tags)
    since = pulls.value.since
    if not found and (since is None or reading.value.more):
        why = pulls.value.why if since is None else "Not all of the logs were read."
        st.markdown(f"Unknown who pushed this image. {plain(why)}")
        return
    if not found:
        text = f"The logs, which go back to {since:%Y-%m-%d}, have no push, untag or deletion of this image."
        empty(":material/history:", "No events", text)
        return
    names = names_of_callers(who, (one.identity for one in found), registry.id)
    if names.unread:
        show_partial(Part(Partial((), (Refusal("the directory", names.unread),)), "name", "names"))
    st.caption("Pushes, untags and deletions. Each pull is under Activity, Registry events.")
    show_events(found, names, "Events of the image, the newest first", key=f"events of {digest}", of_one=True)


def show_events(
    events: Sequence[RegistryEvent], names: PrincipalNames, alt: str, *, key: str, of_one: bool = False
) -> None:
    """Shows the events, one a row. `of_one`: all are of one image, which the rows need not name."""
    show_rows(
        [_row(one, names, of_one=of_one) for one in events],
        alt,
        key=key,
        columns={
            "When": ago_column(),
            "Client": st.column_config.TextColumn(width="medium", help="The user agent that the client sent"),
            "From": st.column_config.TextColumn(help="The address that the registry saw"),
            "Result": st.column_config.TextColumn(help="The status of HTTP"),
        },
    )


def _row(event: RegistryEvent, names: PrincipalNames, *, of_one: bool) -> dict[str, object]:
    return {
        "When": event.at,
        "Operation": event.operation,
        **({} if of_one else {"Repository": event.repository}),
        "Tag": event.tag,
        **({} if of_one else {"Digest": short(event.digest)}),
        "Who": caller_name(event.identity, names),
        "From": event.address,
        "Client": event.agent,
        "Result": event.result,
    }
