"""Copying and downloading on the image's page, and the form that copies from elsewhere."""

import re

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.errors import AppTestError

from tests.services.transfer.test_copy_plan import OTHER, with_admin
from tests.services.transfer.test_download import Shelf
from tests.support.app_test import (
    REFUSED,
    Open,
    actions,
    boxes,
    button,
    confirm_button,
    facts,
    open_dialog,
    reopen,
    texts,
)
from tests.support.own_sandbox import APP, REGISTRY, OwnSandbox
from ui.elements import write_permission
from ui.jobs import runs
from ui.loaders import registries as registry_loaders
from ui.runtime import connection
from ui.transfer import copy as copy_image

IMAGE = {"registry": REGISTRY, "repository": APP, "reference": "v1"}
COPY = "Copy image"

pytestmark = pytest.mark.usefixtures("own")


@pytest.fixture
def form(open_view: Open) -> AppTest:
    """The form that copies into casaacr01."""
    return open_view("push.py", registry=REGISTRY, **{"from": "From another registry"})


def field(at: AppTest, label: str):
    return next(field for field in at.text_input if field.label == label)


def everything(at: AppTest) -> str:
    return texts(at) + "".join(warning.value for warning in at.warning)


def done(at: AppTest) -> AppTest:
    """Waits for the copies that were begun, and looks at the page then."""
    for job in at.session_state["jobs: Copy images"]:
        reading = runs.under_way(connection.who(), job)
        assert reading and reading.finished.wait(30)
    return at.run()


def test_an_image_is_copied_to_another_repository(open_view: Open, own: OwnSandbox) -> None:
    digest = own.push_index("v1")
    at = open_view("image.py", **IMAGE)
    open_dialog(at, COPY)
    assert "in 3 manifests (Azure copies up to 50)" in texts(at)
    assert "linux/a1, linux/a2" in texts(at).replace("\\", "")
    assert f"az acr import --name {REGISTRY} --source {APP}@{digest}" in texts(at)
    reopen(at, COPY)
    confirm_button(at, "Copy image").click().run()
    at = done(at)
    assert not at.exception
    assert own.tags(f"{APP}-copy") == {"v1": digest}
    assert [one.value.replace("\\", "") for one in at.success] == ["team/app-copy:v1: created and verified."]
    # Another tab, or this one loaded anew, finds it too.
    assert "created and verified" in open_view("image.py", **IMAGE).success[0].value
    assert re.search(r"Copy images: .*team/app-copy", texts(at).replace("\\", ""))
    other = own.push_index("v9", repository="other/app")
    assert not open_view("image.py", **{**IMAGE, "repository": "other/app", "reference": other}).success
    button(at, "Dismiss").click().run()
    assert not at.success


def test_signatures_are_shown_in_the_plan_and_copied(open_view: Open, own: OwnSandbox) -> None:
    own.push("v1")
    signature = own.attach(own.tags()["v1"])
    at = open_view("image.py", **IMAGE)
    open_dialog(at, COPY)
    assert "Signatures, SBOMs and attestations that refer to it or to its platforms:" in texts(at)
    reopen(at, COPY)
    confirm_button(at, "Copy image").click().run()
    at = done(at)
    assert not at.exception
    assert own.sandbox.store.get_manifest(REGISTRY, f"{APP}-copy", signature)
    assert signature in texts(at).replace("\\", "").replace("\u2060", "")


def test_a_tag_that_exists_takes_a_second_yes(open_view: Open, own: OwnSandbox) -> None:
    old, _ = own.push("v1", number=1, repository=f"{APP}-copy")
    new, _ = own.push("v1", number=2)
    at = open_view("image.py", **IMAGE)
    open_dialog(at, COPY)
    assert "exists. It moves from" in texts(at)
    reopen(at, COPY)
    with pytest.raises(AppTestError, match="disabled"):
        confirm_button(at, "Copy image").click().run()
    at = open_view("image.py", **IMAGE)
    open_dialog(at, COPY)
    reopen(at, COPY)
    at.checkbox[0].check().run()
    assert own.tags(f"{APP}-copy") == {"v1": old}
    reopen(at, COPY)
    confirm_button(at, "Copy image").click().run()
    done(at)
    assert own.tags(f"{APP}-copy") == {"v1": new}


@pytest.mark.parametrize("name", ["**bold**", "<b>x</b>", "../app", "Team/App"])
def test_a_name_that_no_repository_can_have_is_refused(open_view: Open, own: OwnSandbox, name: str) -> None:
    own.push("v1")
    at = open_view("image.py", **IMAGE)
    open_dialog(at, COPY)
    reopen(at, COPY)
    field(at, "Repository").set_value(name).run()
    assert "InvalidRepository" in texts(at)
    assert "do Copy image" not in [found.key for found in at.button]


def test_a_tag_that_appears_before_azure_begins_is_an_error_on_the_page(open_view: Open, own: OwnSandbox) -> None:
    own.push("v1", number=2)
    at = open_view("image.py", **IMAGE)
    open_dialog(at, COPY)
    own.break_({"method": "POST", "path": "importImage", "status": 409, "body": '{"error": {"code": "Conflict"}}'})
    reopen(at, COPY)
    confirm_button(at, "Copy image").click().run()
    at = done(at)
    assert "Could not copy" in texts(at).replace("\\", "")
    assert "plan it again" in texts(at)


def test_a_copy_is_seen_in_the_target_without_a_refresh(open_view: Open, own: OwnSandbox) -> None:
    own.push("v1")
    target = own.make_registry(OTHER)
    at = open_view("image.py", **IMAGE)
    assert registry_loaders.catalogue(connection.who(), target.login_server).finished.wait(30)
    open_dialog(at, COPY)
    reopen(at, COPY)
    box = boxes(at)[0]
    box.select_index([*box.options].index(OTHER)).run()
    reopen(at, COPY)
    confirm_button(at, "Copy image").click().run()
    done(at)
    catalogue = registry_loaders.catalogue(connection.who(), target.login_server)
    assert catalogue.finished.wait(30)
    assert catalogue.value.names == (APP,)


def test_a_console_that_listens_to_everyone_copies_nothing(
    open_view: Open, own: OwnSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    own.push("v1")
    monkeypatch.setattr(write_permission, "current", lambda: REFUSED)
    assert COPY not in actions(open_view("image.py", **IMAGE))


# The form


def test_the_form_copies_from_another_registry_here(form: AppTest, own: OwnSandbox) -> None:
    digest, _ = own.push("v1")
    form.selectbox[0].select_index([*form.selectbox[0].options].index(REGISTRY))
    field(form, "Image").set_value(f"{APP}:v1").run()
    field(form, "Target repository").set_value("from/elsewhere").run()
    confirm_button(form, "Copy image").click().run()
    at = done(form)
    assert not at.exception
    assert own.tags("from/elsewhere") == {"v1": digest}
    assert field(at, "Image").value == ""


def test_the_form_says_what_it_can_not_check_of_docker_hub(form: AppTest) -> None:
    form.segmented_control[0].set_value(copy_image.PUBLIC).run()
    field(form, "Image").set_value("nginx:1.29").run()
    assert "this console does not read docker.io" in everything(form).replace("\\", "")
    assert f"az acr import --name {REGISTRY} --source docker.io/library/nginx:1.29" in texts(form)
    confirm_button(form, "Copy image").click().run()
    assert "Azure can reach it" in texts(done(form))


def test_the_form_takes_a_login_and_keeps_it_no_longer_than_needed(form: AppTest, own: OwnSandbox) -> None:
    digest, _ = own.push("v1")
    password = with_admin(own)
    form.segmented_control[0].set_value(copy_image.OTHER).run()
    field(form, "Image").set_value(f"{own.client.login_server}/{APP}:v1")
    field(form, "User name").set_value(REGISTRY)
    field(form, "Password or token").set_value(password).run()
    field(form, "Target repository").set_value("from/login").run()
    assert password not in texts(form)
    assert '--password "$SOURCE_PASSWORD"' in texts(form)
    confirm_button(form, "Copy image").click().run()
    at = done(form)
    assert own.tags("from/login") == {"v1": digest}
    assert "created and verified" in texts(at) and "Not compared" in texts(at)
    assert password not in repr(at.session_state) + texts(at)


@pytest.mark.parametrize("image", ["**x**", "a b", "http://contoso.example/app", "<img src=x>"])
def test_the_form_refuses_what_is_no_image(form: AppTest, image: str) -> None:
    form.segmented_control[0].set_value(copy_image.PUBLIC).run()
    field(form, "Image").set_value(image).run()
    assert not form.exception
    assert "Could not read the name of the source" in texts(form)


# Download


def test_a_download_has_its_exact_size_and_a_link(open_view: Open, own: OwnSandbox) -> None:
    Shelf(own).index("v1")
    at = open_view("image.py", **IMAGE)
    open_dialog(at, "Download image")
    shown = facts(at)
    assert shown["File"].replace("\\", "") == "team-app-v1.tar"
    assert "4 manifests and 7 blobs" in shown["Content"]
    assert at.link_button[0].url.startswith("/download/")
    assert "skopeo copy --all docker://" in texts(at)
    whole = shown["Size"]
    reopen(at, "Download image")
    boxes(at)[0].select("linux/arm64").run()
    shown = facts(at)
    assert shown["File"].replace("\\", "") == "team-app-v1-linux-arm64.tar"
    assert "1 manifest and 3 blobs" in shown["Content"]
    assert shown["Size"] != whole


def test_an_image_without_its_content_has_no_link(open_view: Open, own: OwnSandbox) -> None:
    own.push("v1")  # Of its config it has the descriptor alone.
    at = open_view("image.py", registry=REGISTRY, repository=APP, reference="v1")
    open_dialog(at, "Download image")
    assert "BLOB_UNKNOWN" in texts(at).replace("\\", "")
    assert len(at.link_button) == 0


def test_a_platform_s_name_is_text(open_view: Open, own: OwnSandbox) -> None:
    shelf = Shelf(own)
    platform = {"os": "linux", "architecture": "**bold**<b>../../x"}
    child = {**shelf.image(), "platform": platform}
    shelf.manifest({"manifests": [child]}, "application/vnd.oci.image.index.v1+json", "v1")
    at = open_view("image.py", **IMAGE)
    open_dialog(at, "Download image")
    reopen(at, "Download image")
    boxes(at)[0].select("linux/**bold**<b>../../x").run()
    assert facts(at)["File"].replace("\\", "") == "team-app-v1-linux-bold-b-..-..-x.tar"
    assert not at.exception
