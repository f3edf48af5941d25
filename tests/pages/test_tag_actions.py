"""The guide's v1.0.1: added, seen, removed, and the digest the same throughout."""

import re

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.errors import AppTestError

from services.connection.session import AzureSession
from services.images.repositories import tag_page
from services.jobs.jobs import list_jobs
from services.registries.reading import list_registries
from tests.support.app_test import REFUSED, Open, actions, button, confirm_button, open_dialog, reopen, texts
from ui.elements import write_permission
from ui.loaders import contents
from ui.runtime import connection
from ui.runtime.database import database

NODE = {"registry": "casaacr01", "repository": "nodejstemplate"}

pytestmark = pytest.mark.usefixtures("own")


def in_dialog(at: AppTest, opener: str, tag: str, *clicks: str) -> AppTest:
    """Opens the dialog, types the tag, and clicks inside: the opener again each time, as a browser keeps it open."""
    button(at, opener).click().run()
    next(field for field in at.text_input if field.label == "Tag").set_value(tag)
    button(at, opener).click().run()
    for click in clicks:
        button(at, opener).click()
        confirm_button(at, click).click().run()
    return at


def digest_shown(at: AppTest) -> str:
    return next(found[0] for code in at.code if (found := re.search(r"sha256:[0-9a-f]{64}", code.value)))


def tags_of(session: AzureSession, name: str = "casaacr01") -> dict[str, str]:
    registry = next(registry for registry in list_registries(session).values if registry.name == name)
    page = tag_page(session.registry(registry.login_server), "nodejstemplate", size=100)
    return {tag.name: tag.digest for tag in page.tags}


def test_a_tag_is_added_to_the_same_digest(open_view: Open, session: AzureSession) -> None:
    at = open_view("image.py", **NODE, reference="v1.0.0")
    digest = digest_shown(at)
    in_dialog(at, "Add tag", "v1.0.1", "Add tag")
    assert not at.exception
    assert tags_of(session) == {"v1.0.0": digest, "v1.0.1": digest}
    assert digest_shown(open_view("image.py", **NODE, reference="v1.0.1")) == digest


def test_activity_has_the_tag_that_was_added_and_its_line(open_view: Open) -> None:
    in_dialog(open_view("image.py", **NODE, reference="v1.0.0"), "Add tag", "v1.0.1", "Add tag")
    (row,) = open_view("deletions.py").dataframe[0].value.to_dict("records")
    assert (row["Action"], row["State"]) == ("Add tag", "Completed")
    assert row["Target"].endswith("/nodejstemplate:v1.0.1")
    (listed,) = list_jobs(database(), connection.who())
    at = open_view("deletions.py", record=listed.id)
    assert at.title[0].value == "Add tag"
    assert "added and verified" in texts(at)
    assert "az acr import" in texts(at)


def test_what_a_registry_stores_is_counted_anew_after_a_tag_has_changed(open_view: Open, session: AzureSession) -> None:
    at = open_view("image.py", **NODE, reference="v1.0.0")
    who, (registry, *_) = connection.who(), list_registries(session).values
    assert contents.registry(who, registry.login_server).finished.wait(30)
    assert contents.last_count(who, registry.login_server)
    in_dialog(at, "Add tag", "v1.0.1", "Add tag")
    assert contents.last_count(who, registry.login_server) is None


def test_a_tag_that_exists_moves_only_after_a_second_yes(open_view: Open, session: AzureSession) -> None:
    index = digest_shown(open_view("image.py", **NODE, reference="v1.0.0"))
    rows = open_view("repository.py", **NODE, show="Manifests").dataframe[0].value
    platform = rows.set_index("Kind").loc["platform of the index above"]["Digest"]
    at = in_dialog(open_view("image.py", **NODE, reference=platform), "Add tag", "v1.0.0")
    button(at, "Add tag").click()
    with pytest.raises(AppTestError, match="disabled"):
        confirm_button(at, "Move tag").click().run()
    assert tags_of(session) == {"v1.0.0": index}
    at = in_dialog(open_view("image.py", **NODE, reference=platform), "Add tag", "v1.0.0")
    at.checkbox[0].check()
    button(at, "Add tag").click().run()
    button(at, "Add tag").click()
    confirm_button(at, "Move tag").click().run()
    assert tags_of(session) == {"v1.0.0": platform}


def test_a_tag_is_removed_and_its_manifest_stays(open_view: Open, session: AzureSession) -> None:
    at = open_view("image.py", **NODE, reference="v1.0.0")
    digest = digest_shown(at)
    open_dialog(at, "Remove tag")
    assert "it will be untagged" in texts(at) + "".join(warning.value for warning in at.warning)
    assert tags_of(session) == {"v1.0.0": digest}
    reopen(at, "Remove tag")
    confirm_button(at, "Remove tag").click().run()
    assert not at.exception
    assert tags_of(session) == {}
    assert digest_shown(open_view("image.py", **NODE, reference=digest)) == digest


def test_a_name_that_no_tag_can_have_is_refused(open_view: Open, session: AzureSession) -> None:
    at = in_dialog(open_view("image.py", **NODE, reference="v1.0.0"), "Add tag", "../v1")
    assert "InvalidTag" in texts(at)
    assert list(tags_of(session)) == ["v1.0.0"]


def test_a_console_that_listens_to_everyone_changes_nothing(open_view: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write_permission, "current", lambda: REFUSED)
    at = open_view("image.py", **NODE, reference="v1.0.0")
    assert "Read-only" in texts(at)
    assert button(at, "Add tag").disabled
    assert "Remove tag" not in actions(at)


def test_a_dialog_refused_before_its_plan_can_be_cancelled(open_view: Open, session: AzureSession) -> None:
    at = open_view("image.py", **NODE, reference="v1.0.0")
    in_dialog(at, "Add tag", "no tag/..")
    assert "That is no name for a tag." in texts(at)
    assert "Cancel" in [one.label for one in at.button]
    assert set(tags_of(session)) == {"v1.0.0"}
