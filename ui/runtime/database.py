"""The process's database: opened, and its schema brought up to date, when it is first asked for."""

import streamlit as st
from sqlalchemy import Engine

from services.database.contents import ContentStore
from services.database.engine import open_database
from services.running.answers import AnswerStore
from ui.runtime.settings import read_settings


def database() -> Engine:
    """The console's database. Raises ServiceError (NoDatabase); the next call tries again."""
    return _open(read_settings().database)


@st.cache_resource(show_spinner=False, on_release=Engine.dispose)
def _open(url: str) -> Engine:
    return open_database(url)


@st.cache_resource(show_spinner=False)
def shared_contents() -> ContentStore:
    """What processes have read of registries, by digest."""
    return ContentStore(database)


@st.cache_resource(show_spinner=False)
def shared_answers() -> AnswerStore:
    """What clusters answered when anybody asked which images run in them; who asks for it names the clusters that they
    see."""
    return AnswerStore(database)
