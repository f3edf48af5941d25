"""What changes between a plan and its confirmation: nothing is done that nobody saw, and no consent carries over."""

import pytest
from streamlit.testing.v1 import AppTest

from tests.support.app_test import Open, button, confirm_button, reopen, select_rows, texts
from tests.support.own_sandbox import APP, REGISTRY, OwnSandbox
from ui.jobs import runs
from ui.loaders import images as image_loaders
from ui.runtime import connection

URL = {"registry": REGISTRY, "repository": APP}


@pytest.fixture
def digests(own: OwnSandbox) -> dict[str, str]:
    own.push("v1.0", number=1)
    own.push("v1.1", number=2)
    own.push("pr-7", number=3)
    return own.tags()


def press(at: AppTest, opener: str, *tags: str, confirm: str = "") -> AppTest:
    """Selects tags, opens the dialog, and confirms in it: AppTest closes it with each run."""
    found = list(at.dataframe[0].value["Tag"])
    select_rows(at, 0, *(found.index(tag) for tag in tags))
    button(at, opener).click()
    if confirm:
        confirm_button(at, confirm).click()
    return at.run()


def opened(open_view: Open, opener: str, *tags: str) -> AppTest:
    at = open_view("repository.py", **URL)
    found = list(at.dataframe[0].value["Tag"])
    select_rows(at, 0, *(found.index(tag) for tag in tags))
    return press(at.run(), opener, *tags)


def say(at: AppTest, label: str, text: str) -> None:
    next(field for field in at.text_input if field.label == label).set_value(text)


def warned(at: AppTest) -> bool:
    return any("Changed meanwhile. Nothing was done" in one.value for one in at.warning)


def test_a_tag_that_moved_is_removed_only_after_its_new_plan(
    open_view: Open, own: OwnSandbox, digests: dict[str, str]
) -> None:
    at = opened(open_view, "Remove tags", "pr-7")
    own.move("pr-7", digests["v1.0"])
    press(at, "Remove tags", "pr-7", confirm="Remove 1 tag")
    assert warned(at)
    assert own.tags()["pr-7"] == digests["v1.0"]
    press(at, "Remove tags", "pr-7", confirm="Remove 1 tag")
    assert not at.exception
    assert at.query_params["record"]


def test_a_tag_page_removes_the_tag_only_from_the_digest_that_it_showed(
    open_view: Open, own: OwnSandbox, digests: dict[str, str]
) -> None:
    at = open_view("image.py", **URL, reference="pr-7")
    reopen(at, "Remove tag")
    at.run()
    own.move("pr-7", digests["v1.0"])
    reopen(at, "Remove tag")
    confirm_button(at, "Remove tag").click().run()
    assert warned(at)
    assert own.tags()["pr-7"] == digests["v1.0"]


def test_a_tag_that_somebody_else_moved_is_not_overwritten(
    open_view: Open, own: OwnSandbox, digests: dict[str, str]
) -> None:
    at = open_view("image.py", **URL, reference=digests["pr-7"])
    button(at, "Add tag").click().run()
    say(at, "Tag", "v1.1")
    button(at, "Add tag").click().run()
    at.checkbox[0].check()
    button(at, "Add tag").click().run()
    own.move("v1.1", digests["v1.0"])
    button(at, "Add tag").click()
    confirm_button(at, "Move tag").click().run()
    assert warned(at)
    assert not at.checkbox[0].value
    assert own.tags()["v1.1"] == digests["v1.0"]


def test_a_tag_that_became_new_is_said_to_be_so_first(
    open_view: Open, own: OwnSandbox, digests: dict[str, str]
) -> None:
    at = open_view("image.py", **URL, reference=digests["pr-7"])
    button(at, "Add tag").click().run()
    say(at, "Tag", "v2")
    button(at, "Add tag").click().run()
    own.move("v2", digests["v1.0"])
    button(at, "Add tag").click()
    confirm_button(at, "Add tag").click().run()
    assert warned(at)
    assert own.tags()["v2"] == digests["v1.0"]


def test_who_agreed_to_move_one_tag_did_not_agree_to_move_another(open_view: Open, digests: dict[str, str]) -> None:
    at = open_view("image.py", **URL, reference=digests["pr-7"])
    button(at, "Add tag").click().run()
    say(at, "Tag", "v1.0")
    button(at, "Add tag").click().run()
    at.checkbox[0].check()
    button(at, "Add tag").click().run()
    assert not confirm_button(at, "Move tag").disabled
    say(at, "Tag", "v1.1")
    button(at, "Add tag").click().run()
    assert not at.checkbox[0].value
    assert confirm_button(at, "Move tag").disabled


@pytest.mark.usefixtures("digests")
def test_who_agreed_to_move_tags_of_one_repository_did_not_agree_for_another(open_view: Open, own: OwnSandbox) -> None:
    for number, repository in enumerate(("x/one", "x/two"), 8):
        own.push("v1.0", number=number, repository=repository)
    at = opened(open_view, "Copy images", "v1.0")
    say(at, "Repository", "x/one")
    press(at, "Copy images", "v1.0")
    at.checkbox[0].check()
    press(at, "Copy images", "v1.0")
    assert not confirm_button(at, "Copy image").disabled
    say(at, "Repository", "x/two")
    press(at, "Copy images", "v1.0")
    assert not at.checkbox[0].value
    assert confirm_button(at, "Copy image").disabled


def test_a_selected_image_that_is_gone_is_an_error_beside_the_tags(
    open_view: Open, own: OwnSandbox, digests: dict[str, str]
) -> None:
    at = open_view("repository.py", **URL)
    own.sandbox.store.delete_manifest(REGISTRY, APP, digests["v1.1"], own.sandbox.state.stamp())
    image_loaders.manifest.clear()
    found = list(at.dataframe[0].value["Tag"])
    select_rows(at, 0, found.index("v1.1"))
    press(at.run(), "Download images", "v1.1")
    assert not at.exception
    assert "What to do" in texts(at)
    assert len(at.dataframe[0].value) == 3


def test_several_images_are_planned_anew_each_time_and_one_that_is_gone_stops_no_other(
    open_view: Open, own: OwnSandbox, digests: dict[str, str]
) -> None:
    at = opened(open_view, "Copy images", "v1.0", "v1.1")
    assert not at.checkbox
    own.push("v1.0", number=9, repository=f"{APP}-copy")
    press(at, "Copy images", "v1.0", "v1.1")
    at.checkbox[0].check()
    own.sandbox.store.delete_manifest(REGISTRY, APP, digests["v1.1"], own.sandbox.state.stamp())
    press(at, "Copy images", "v1.0", "v1.1")
    assert any("1 image (v1\\.1) could not be read" in one.label for one in at.expander)
    press(at, "Copy images", "v1.0", "v1.1", confirm="Copy 1 image")
    assert not at.exception
    (job,) = at.session_state["jobs: Copy images"]
    run = runs.under_way(connection.who(), job)
    assert run and run.finished.wait(30)
    assert own.tags(f"{APP}-copy") == {"v1.0": digests["v1.0"]}
