"""The tags of a repository: filtered, selected, and what is done with several at once."""

import pytest
from streamlit.testing.v1 import AppTest

from services.connection.session import AzureSession
from services.images.repositories import Locks, get_tag
from tests.support.app_test import REFUSED, Open, button, confirm_button, select_rows, texts
from tests.support.own_sandbox import APP, REGISTRY, OwnSandbox
from ui.elements import table, write_permission
from ui.images import tag_table
from ui.jobs import runs
from ui.runtime import connection

URL = {"registry": REGISTRY, "repository": APP}
ACTIONS = ("Open image", "Delete images", "Remove tags", "Copy images", "Lock tags", "Download images")


@pytest.fixture
def own(own: OwnSandbox) -> OwnSandbox:
    own.push("v1.0", "latest", number=1)
    own.push("v1.1", number=2)
    own.push("pr-7", number=3)
    return own


pytestmark = pytest.mark.usefixtures("own")


def names(at: AppTest) -> set[str]:
    return set(at.dataframe[0].value["Tag"])


def selected(open_view: Open, *tags: str, opener: str = "") -> AppTest:
    """The page with these tags selected, and the button `opener` pressed."""
    at = open_view("repository.py", **URL)
    select(at, *tags)
    at.run()
    if opener:
        select(at, *tags)
        button(at, opener).click().run()
    return at


def select(at: AppTest, *tags: str) -> None:
    found = list(at.dataframe[0].value["Tag"])
    select_rows(at, 0, *(found.index(tag) for tag in tags))


def test_a_glob_of_the_address_filters_over_all_tags(open_view: Open) -> None:
    at = open_view("repository.py", **URL)
    assert names(at) == {"v1.0", "latest", "v1.1", "pr-7"}
    at.text_input(key="filter").set_value("v1.*").run()
    assert names(at) == {"v1.0", "v1.1"}
    assert "2 of 4 tags" in texts(at)


def test_a_tag_that_no_list_shows_can_be_opened_by_its_name(open_view: Open, own: OwnSandbox) -> None:
    own.lock_tag("pr-7", list=False)
    at = open_view("repository.py", **URL)
    assert names(at) == {"v1.0", "latest", "v1.1"}
    at.text_input(key="filter").set_value("pr-7").run()
    assert "No tag matches" in texts(at)
    button(at, "Open pr\\-7").click().run()
    assert "pr\\-7" in at.title[0].value


def test_nothing_can_be_done_with_nothing(open_view: Open) -> None:
    at = open_view("repository.py", **URL)
    assert all(button(at, label).disabled for label in ACTIONS)
    at = selected(open_view, "v1.0", "v1.1")
    assert "**2 selected**" in texts(at)
    # Two are compared where one is opened.
    assert not any(button(at, label).disabled for label in ("Compare", *ACTIONS[1:]))


def test_tags_in_pages_are_sorted_over_all_of_them(open_view: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (table, tag_table):
        monkeypatch.setattr(module, "ROWS_A_PAGE", 2)
    at = open_view("repository.py", **URL)
    at.selectbox(key="sort").set_value("Tag").run()
    assert list(at.dataframe[0].value["Tag"]) == ["latest", "pr-7"]


def test_the_images_of_all_selected_tags_are_in_one_plan(open_view: Open, own: OwnSandbox) -> None:
    at = selected(open_view, "v1.0", "pr-7", opener="Delete images")
    assert not at.exception
    assert at.title[0].value == "Delete 2 images"
    at = open_view("delete.py", **URL, reference=at.query_params["reference"])
    deleted = {tag for tags in at.dataframe[0].value["Tags"] for tag in tags}
    assert deleted == {"v1.0", "latest", "pr-7"}
    assert confirm_button(at, "Delete 2 manifests").disabled
    at.text_input[0].set_value(APP).run()
    confirm_button(at, "Delete 2 manifests").click().run()
    job = runs.under_way(connection.who(), at.query_params["record"])
    assert job and job.finished.wait(30)
    assert set(own.tags()) == {"v1.1"}


def test_an_image_that_is_gone_is_named_and_the_others_are_planned(open_view: Open) -> None:
    at = open_view("delete.py", **URL, reference=["v1.1", "gone"])
    assert [one.value for one in at.warning if "No such" in one.value] == ["No such image: gone."]
    assert confirm_button(at, "Delete 1 manifest")


def test_selected_tags_are_removed_and_their_images_stay(open_view: Open, own: OwnSandbox) -> None:
    own.lock_tag("pr-7", delete=False)
    digests = own.tags()
    at = selected(open_view, "v1.0", "latest", "pr-7", opener="Remove tags")
    said = texts(at)
    assert "1 tag stays" in said
    assert "locked against deletion" in said.replace("\\", "")
    at.text_input(key=f"confirm {APP}").set_value(APP)
    select(at, "v1.0", "latest", "pr-7")
    button(at, "Remove tags").click().run()
    select(at, "v1.0", "latest", "pr-7")
    button(at, "Remove tags").click()
    confirm_button(at, "Remove 2 tags").click().run()
    assert not at.exception
    job = runs.under_way(connection.who(), at.query_params["record"])
    assert job and job.finished.wait(30)
    assert own.tags() == {name: digest for name, digest in digests.items() if name in ("v1.1", "pr-7")}


def lock_many(at: AppTest, *tags: str, **locks: str) -> AppTest:
    for name, choice in locks.items():
        at.segmented_control(key=f"locks of many: {name}").set_value(choice)
    select(at, *tags)
    button(at, "Lock tags").click().run()
    select(at, *tags)
    button(at, "Lock tags").click()
    confirm_button(at, f"Set locks of {len(tags)} tags").click().run()
    (run,) = at.session_state["runs: locks"].values()
    assert run.reading.finished.wait(30)
    return at.run()


def test_only_the_chosen_locks_change_and_each_tag_has_its_own_result(open_view: Open, own: OwnSandbox) -> None:
    own.lock_tag("v1.1", list=True, read=False)
    at = selected(open_view, "v1.0", "v1.1", opener="Lock tags")
    at = lock_many(at, "v1.0", "v1.1", delete="Lock")
    assert "Locks of 2 of 2 tags: changed and verified" in texts(at)
    assert get_tag(own.client, APP, "v1.0").locks == Locks(delete=False)
    assert get_tag(own.client, APP, "v1.1").locks == Locks(delete=False, read=False)
    assert get_tag(own.client, APP, "pr-7").locks == Locks()


def test_a_refused_tag_is_named_beside_those_that_changed(open_view: Open, own: OwnSandbox) -> None:
    at = selected(open_view, "v1.0", "v1.1", opener="Lock tags")
    own.break_({"method": "PATCH", "path": "_tags/v1.1", "status": 403})
    at = lock_many(at, "v1.0", "v1.1", delete="Lock")
    assert "Locks of 1 of 2 tags: changed and verified" in texts(at)
    assert any("1 tag (v1\\.1) could not be changed" in one.label for one in at.expander)
    assert get_tag(own.client, APP, "v1.1").locks == Locks()


def test_a_console_that_listens_to_everyone_changes_no_tag(open_view: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write_permission, "current", lambda: REFUSED)
    at = selected(open_view, "v1.0", "v1.1")
    assert {label for label in ACTIONS[1:] if button(at, label).disabled} == {
        "Remove tags",
        "Copy images",
        "Lock tags",
    }


@pytest.mark.parametrize(("path", "status"), [("_manifests$", 429), ("_manifests$", 403)])
def test_what_tags_point_to_is_unknown_where_it_is_refused(
    open_view: Open, own: OwnSandbox, session: AzureSession, path: str, status: int
) -> None:
    own.break_({"path": path, "status": status, "retry_after": 999})
    at = open_view("repository.py", session, **URL)
    rows = at.dataframe[0].value
    assert set(rows["Tag"]) == {"v1.0", "latest", "v1.1", "pr-7"}
    assert rows["Size"].isna().all()
    assert any("could not be read" in one.label for one in at.expander)
