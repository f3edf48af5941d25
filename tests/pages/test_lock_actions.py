"""Locks of a repository, a tag and a manifest, set on the pages, separately as they are."""

import pytest
from streamlit.testing.v1 import AppTest

from services.images.repositories import Locks, get_manifest_row, get_repository, get_tag
from tests.support.app_test import REFUSED, Open, actions, confirm_button, open_dialog, reopen, texts
from tests.support.own_sandbox import APP, REGISTRY, OwnSandbox
from ui.elements import write_permission

IMAGE = {"registry": REGISTRY, "repository": APP}
OPENERS = ("Set locks", "Set tag locks", "Set manifest locks")

pytestmark = pytest.mark.usefixtures("own")


@pytest.fixture
def own(own: OwnSandbox) -> OwnSandbox:
    own.push("v1")
    return own


def page_of(opener: str, open_view: Open) -> AppTest:
    if opener == OPENERS[0]:
        return open_view("repository.py", **IMAGE)
    return open_view("image.py", **IMAGE, reference="v1")


def switched(at: AppTest, opener: str, **toggles: bool) -> AppTest:
    """Opens the dialog and turns these toggles."""
    reopen(at, opener)
    at.run()
    labels = {"delete": "Allow delete", "write": "Allow overwrite", "list": "Allow listing", "read": "Allow pull"}
    reopen(at, opener)
    for name, value in toggles.items():
        next(toggle for toggle in at.toggle if toggle.label == labels[name]).set_value(value)
    return at.run()


def locks_of(own: OwnSandbox) -> dict[str, Locks]:
    tag = get_tag(own.client, APP, "v1")
    found = get_repository(own.client, APP).locks, tag.locks, get_manifest_row(own.client, APP, tag.digest).locks
    return dict(zip(OPENERS, found, strict=True))


@pytest.mark.parametrize("opener", OPENERS)
def test_locks_are_set_where_they_were_asked_for_and_nowhere_else(
    open_view: Open, own: OwnSandbox, opener: str
) -> None:
    at = switched(page_of(opener, open_view), opener, write=False)
    assert "--write-enabled false" in texts(at)
    assert "After the change" in texts(at)
    assert locks_of(own) == dict.fromkeys(OPENERS, Locks())
    reopen(at, opener)
    confirm_button(at, "Set locks").click().run()
    assert not at.exception
    assert locks_of(own) == {**dict.fromkeys(OPENERS, Locks()), opener: Locks(write=False)}
    assert "changed and verified (locked against write)" in "".join(success.value for success in at.success)
    said = {OPENERS[0]: "Locked against write", OPENERS[1]: "Tag locked: write", OPENERS[2]: "Manifest locked: write"}
    assert [words in texts(at) for words in said.values()] == [name == opener for name in said]
    at = switched(at, opener, write=True)
    reopen(at, opener)
    confirm_button(at, "Set locks").click().run()
    assert locks_of(own) == dict.fromkeys(OPENERS, Locks())


def test_a_hidden_repository_is_said_to_be_hidden(open_view: Open) -> None:
    at = switched(page_of(OPENERS[0], open_view), OPENERS[0], list=False)
    assert "hidden: lists of repositories leave it out" in texts(at)


def test_a_locked_tag_is_not_removed_until_it_is_unlocked(open_view: Open, own: OwnSandbox) -> None:
    own.lock_tag("v1", delete=False)
    at = page_of(OPENERS[1], open_view)
    open_dialog(at, "Remove tag")
    assert "locked against deletion" in "".join(error.value for error in at.error)
    assert confirm_button(at, "Remove tag").disabled
    at = switched(page_of(OPENERS[1], open_view), OPENERS[1], delete=True)
    reopen(at, OPENERS[1])
    confirm_button(at, "Set locks").click().run()
    open_dialog(at, "Remove tag")
    reopen(at, "Remove tag")
    confirm_button(at, "Remove tag").click().run()
    assert own.tags() == {}


def test_a_refusal_is_a_panel_and_what_is_shown_after_it_is_true(open_view: Open, own: OwnSandbox) -> None:
    at = switched(page_of(OPENERS[1], open_view), OPENERS[1], read=False)
    own.break_({"method": "PATCH", "path": "_tags", "status": 403})
    reopen(at, OPENERS[1])
    confirm_button(at, "Set locks").click().run()
    assert "Could not set the locks" in texts(at)
    assert locks_of(own) == dict.fromkeys(OPENERS, Locks())


def test_a_console_that_listens_to_everyone_locks_nothing(open_view: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write_permission, "current", lambda: REFUSED)
    assert OPENERS[0] not in actions(page_of(OPENERS[0], open_view))
    assert not {*OPENERS[1:]} & {*actions(page_of(OPENERS[1], open_view))}
