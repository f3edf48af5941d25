"""What the plan of a deletion is made of: repositories with all their manifests."""

from collections.abc import Sequence
from datetime import datetime

import streamlit as st

from services.connection.changes import changed
from services.connection.data_plane import MOST_APART, require_same_time
from services.connection.errors import ServiceError
from services.connection.parallel import Partial, Refusal
from services.database.engine import read_clock
from services.images.repository_contents import RepositoryContents
from services.registries.registry import Registry
from ui.elements.errors import Part, show_error, show_partial
from ui.elements.skeleton import Shape
from ui.loaders import contents as contents_loader
from ui.navigation.url_choice import keep_for_visit
from ui.runtime import connection
from ui.runtime.background import show_progress
from ui.runtime.database import database


def contents_of(who: str, registry: Registry, name: str) -> RepositoryContents:
    """The contents of the repository, read with progress shown. Stops the page while that runs, and where it fails."""
    reading = contents_loader.repository(who, registry.login_server, name)
    show_progress(reading, f"contents of {registry.id}/{name}", shape=None if reading.value else Shape.PLAN)
    if reading.error:
        show_error(reading.error)
    elif reading.value is None and not reading.running:
        st.info("Stopped before the repository was read: refresh to read it again.", icon=":material/stop_circle:")
    if reading.error or reading.value is None:
        st.stop()
    contents = reading.value
    show_partial(Part(Partial((), contents.unread, contents.untried), "manifest"))
    return contents


def contents_of_several(who: str, registry: Registry, names: Sequence[str]) -> tuple[RepositoryContents, ...]:
    """The contents of these repositories, without those that could not be read, which are named. As `contents_of`."""
    reading = contents_loader.repositories(who, registry.login_server, tuple(names))
    show_progress(reading, f"contents of several in {registry.id}", shape=Shape.PLAN)
    if reading.error:
        show_error(reading.error)
    if reading.error or reading.running:
        st.stop()
    read = reading.value
    manifests: tuple[Refusal, ...] = tuple(refusal for one in read.values for refusal in one.unread)
    show_partial(
        Part(Partial((), read.refused, read.untried), "repository", "repositories"),
        Part(Partial((), manifests, sum(one.untried for one in read.values)), "manifest"),
    )
    return read.values


def time_of_plan() -> datetime:
    """The time by which the rules of a plan count ages, one for the visit: the database's, as that of schedules. Stops
    the page where it is unknown."""
    try:
        return keep_for_visit("time of the plan", read_clock(database()))
    except ServiceError as error:
        show_error(error)
        st.stop()


def require_time_of_plan(who: str, registry: Registry, title: str, planned: datetime) -> None:
    """Raises ServiceError where ages are wrong by the clock now (ClocksApart), or were by that of the plan: an earlier
    one, as of a long visit, only makes images younger."""
    now = read_clock(database())
    require_same_time(connection.session(who).registry(registry.login_server), title, now)
    if planned - now > MOST_APART:
        how = f"The plan is of {planned:%Y-%m-%d %H:%M} UTC, by a clock that says {now:%Y-%m-%d %H:%M} now."
        raise changed(title, how)
