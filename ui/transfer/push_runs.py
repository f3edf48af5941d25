"""Running pushes. They belong to the process: closing a page stops none, and opening it again starts none twice."""

from dataclasses import dataclass
from threading import Lock

import streamlit as st

from services.jobs.changes import Answer, Change
from services.transfer.archive_images import Content
from services.transfer.push import PushPlan, PushResult, apply_push
from ui.elements.text import short, size
from ui.loaders import images as image_loaders
from ui.runtime import connection
from ui.runtime.background import Reading, start
from ui.runtime.changes import recorded

Push = Reading[PushResult | None]

_lock = Lock()


@dataclass(frozen=True)
class Target:
    """Where an image is pushed to."""

    login_server: str
    repository: str
    tag: str


@st.cache_resource(show_spinner=False)
def _pushes(who: str) -> dict[Target, Push]:  # noqa: ARG001
    return {}


def begin(who: str, login_server: str, content: Content, plan: PushPlan) -> Push:
    """Starts the push of `plan`, or returns the one to the same tag that is already running."""
    target = Target(login_server, plan.repository, plan.tag)
    client = connection.session(who).registry(login_server)
    change = Change("Push image", f"{login_server}/{plan.repository}:{plan.tag}")

    def work(push: Push) -> None:
        try:
            with recorded(who, change, push.stop) as record:
                pushed = apply_push(client, content, plan, progress=push.report, stop=push.stop)
                record(Answer(f"{short(pushed.digest)} pushed and verified."))
            push.value = pushed
        finally:
            tagged = (plan.digest, *((plan.current_digest,) if plan.current_digest else ()))
            image_loaders.forget_pushed(who, login_server, plan.repository, plan.tag, *tagged)

    pushes = _pushes(who)
    with _lock:
        if target not in pushes or not pushes[target].running:
            pushes[target] = start(None, work, verb="Pushing", amount=size)
        return pushes[target]


def of_registry(who: str, login_server: str) -> dict[Target, Push]:
    """The pushes to one registry: those running, and those whose result is not dismissed yet."""
    with _lock:
        return {target: push for target, push in _pushes(who).items() if target.login_server == login_server}


def dismiss(who: str, target: Target) -> None:
    """Forgets a push that has ended."""
    with _lock:
        if not _pushes(who)[target].running:
            del _pushes(who)[target]
