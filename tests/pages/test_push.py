"""An archive is uploaded, named, planned and pushed once; its image is then what the other pages show."""

import gzip
from io import BytesIO
from pathlib import Path
from threading import Event

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.errors import AppTestError

from services.connection.errors import ServiceError
from services.connection.session import AzureSession
from services.connection.write_permission import WritePermission
from services.images.repositories import tag_page
from services.jobs.jobs import Job, find_job, open_jobs
from services.registries.reading import list_registries
from services.transfer import push as pushing
from services.transfer import push_jobs
from services.transfer.archives import read_archive
from tests.support.app_test import Open, button, texts
from tests.support.archive_cases import FOLDER
from tests.support.image_archives import FULL_NAME, Layout, layout
from tests.support.own_sandbox import OwnSandbox
from ui.elements import write_permission
from ui.elements.text import plain
from ui.jobs import runs
from ui.runtime import background, connection
from ui.runtime.database import database
from ui.transfer import push_runs

SERVER = "casaacr01"

pytestmark = pytest.mark.usefixtures("own")


def archive(name: str = "docker.io/contoso/node:v2") -> bytes:
    made = Layout()
    return made.named(made.platforms("amd64", "arm64"), name, key=FULL_NAME).tar()


def digest_of(*platforms: str) -> str:
    made = Layout()
    return str(made.platforms(*platforms)["digest"])


def server_of(session: AzureSession) -> str:
    return next(one.login_server for one in list_registries(session).values if one.name == SERVER)


def tags_of(session: AzureSession, repository: str) -> dict[str, str]:
    page = tag_page(session.registry(server_of(session)), repository, size=100)
    return {tag.name: tag.digest for tag in page.tags}


def uploaded(open_view: Open, data: bytes, name: str = "image.tar") -> AppTest:
    at = open_view("push.py", registry=SERVER)
    at.file_uploader[0].set_value((name, data, "application/x-tar")).run()
    return at


def field(at: AppTest, label: str) -> str:
    return str(next(one.value for one in at.text_input if one.label == label))


def typed(at: AppTest, label: str, value: str) -> AppTest:
    next(one for one in at.text_input if one.label == label).set_value(value).run()
    return at


def buttons(at: AppTest) -> list[str]:
    return [one.label for one in at.button]


def ended(at: AppTest, session: AzureSession) -> AppTest:
    """The page once all pushes of the registry are over."""
    connection.use(session)
    for job in open_jobs(database(), connection.who(), ["Push image"]):
        reading = runs.under_way(connection.who(), job.id)
        assert reading and reading.finished.wait(30)
    return at.run()


def metrics(at: AppTest) -> dict[str, str]:
    return {one.label: str(one.value) for one in at.metric}


@pytest.mark.parametrize("packed", [False, True])
def test_an_archive_is_pushed_under_the_name_it_has(open_view: Open, session: AzureSession, packed: bool) -> None:
    at = uploaded(open_view, gzip.compress(archive()) if packed else archive())
    assert (field(at, "Repository"), field(at, "Tag")) == ("node", "v2")
    assert "is new" in texts(at)
    assert f"docker tag contoso/node:v2 {server_of(session)}/node:v2" in texts(at)
    assert f"oci-archive:image.tar docker://{server_of(session)}/node:v2" in texts(at)
    assert metrics(at)["Already there"] == "0 B"
    button(at, "Push image").click().run()
    at = ended(at, session)
    assert not at.exception
    assert tags_of(session, "node") == {"v2": digest_of("amd64", "arm64")}
    assert any("Pushed and verified" in success.value for success in at.success)
    image = open_view("image.py", registry=SERVER, repository="node", reference="v2")
    assert digest_of("amd64", "arm64") in texts(image)


def test_what_another_repository_has_is_mounted(open_view: Open, session: AzureSession) -> None:
    at = uploaded(open_view, archive())
    sent = metrics(at)["To send"]
    button(at, "Push image").click().run()
    at = typed(ended(at, session), "Repository", "team/other")
    assert metrics(at) == {"To send": "0 B", "Already there": "0 B", "Mounted": sent}
    button(at, "Push image").click().run()
    at = ended(at, session)
    assert tags_of(session, "team/other") == {"v2": digest_of("amd64", "arm64")}
    assert any("0 B sent" in success.value for success in at.success)


def test_a_tag_that_exists_moves_only_after_a_second_yes(open_view: Open, session: AzureSession) -> None:
    before = tags_of(session, "nodejstemplate")["v1.0.0"]
    at = uploaded(open_view, archive("nodejstemplate:v1.0.0"))
    assert before[7:19] in texts(at)
    with pytest.raises(AppTestError, match="disabled"):
        button(at, "Push image and move tag").click().run()
    assert tags_of(session, "nodejstemplate")["v1.0.0"] == before
    at.checkbox[0].check().run()
    button(at, "Push image and move tag").click().run()
    ended(at, session)
    assert tags_of(session, "nodejstemplate")["v1.0.0"] == digest_of("amd64", "arm64")


def test_repository_and_tag_may_be_typed_and_a_wrong_name_is_refused(open_view: Open, session: AzureSession) -> None:
    at = uploaded(open_view, layout())
    assert "Push image" not in buttons(at)
    assert "Type a repository and a tag." in texts(at)
    at = typed(typed(at, "Repository", "Team/App"), "Tag", "v1")
    assert "InvalidRepository" in texts(at)
    assert "Push image" not in buttons(at)
    at = typed(at, "Repository", "team/app")
    button(at, "Push image").click().run()
    ended(at, session)
    assert list(tags_of(session, "team/app")) == ["v1"]


def test_the_same_push_is_not_begun_twice(
    open_view: Open, session: AzureSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, begun = Event(), []
    apply_push = push_jobs.apply_push

    def slow(*args: object, **more: object) -> pushing.PushResult:
        begun.append(1)
        assert go_on.wait(30)
        return apply_push(*args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(push_jobs, "apply_push", slow)
    at = uploaded(open_view, archive())
    monkeypatch.setattr(background, "BLINK_S", 0)  # The push does not end before this test lets it.
    button(at, "Push image").click().run()
    assert "Push image" not in buttons(at)
    assert "in progress" in texts(at)
    again = uploaded(open_view, archive())
    assert "Push image" not in buttons(again)
    assert "node" in texts(again)
    under_way = push_runs.under_way(connection.who(), server_of(session), "node", "v2")
    assert under_way
    image = read_archive(BytesIO(archive())).images[0]
    content = image.prepare(lambda _done, _of: None, Event())
    plan = pushing.read_push_plan(session.registry(server_of(session)), content, "node", "v2")
    again_begun = push_runs.begin(connection.who(), server_of(session), content, plan, image.key, None)
    assert again_begun == under_way.id
    go_on.set()
    again = ended(again, session)
    assert begun == [1]
    assert any("Pushed and verified" in success.value for success in again.success)
    button(again, "Dismiss").click().run()
    assert not again.success


def test_a_push_that_fails_says_why_and_can_be_tried_again(
    open_view: Open, session: AzureSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object, **__: object) -> pushing.PushResult:
        raise ServiceError("Could not push", "**The** line is cut.", "Try again.", "ConnectionLost")

    with monkeypatch.context() as broken:
        broken.setattr(push_jobs, "apply_push", failing)
        at = uploaded(open_view, archive())
        button(at, "Push image").click().run()
        at = ended(at, session)
    assert "**The** line is cut." in texts(at)
    button(at, "Push image").click().run()
    at = ended(at, session)
    assert any("Pushed and verified" in success.value for success in at.success)


def test_a_broken_archive_is_refused_with_the_reason(open_view: Open) -> None:
    at = uploaded(open_view, archive()[:3_000])
    assert "Truncated" in texts(at)
    assert not at.exception
    assert "Push image" not in buttons(at)


def test_an_image_of_which_a_part_is_missing_is_not_pushed_but_its_platform_may_be(
    open_view: Open, session: AzureSession
) -> None:
    made = Layout()
    amd = made.image(architecture="amd64", platform={"os": "linux", "architecture": "amd64"})
    arm = made.image(architecture="arm64", platform={"os": "linux", "architecture": "arm64"})
    at = uploaded(open_view, made.without(arm).named(made.index(amd, arm), "contoso/app:v1").tar())
    images = at.main.selectbox[0]
    assert ["one platform" in option for option in images.options] == [True, False]
    images.set_value(1).run()
    assert "linux/arm64" in texts(at)
    assert "Push image" not in buttons(at)
    at.main.selectbox[0].set_value(0).run()
    button(at, "Push image").click().run()
    ended(at, session)
    assert tags_of(session, "app") == {"v1": amd["digest"]}


def test_of_several_images_the_chosen_one_is_named(open_view: Open, session: AzureSession) -> None:
    made = Layout()
    one, other = made.image(architecture="amd64"), made.image(architecture="arm64")
    made.named(one, "casacloud/nodejstemplate:v1.0.0").named(other, "casacloud/worker:v2")
    at = uploaded(open_view, made.tar())
    images = at.main.selectbox[0]
    assert len(images.options) == 2
    for number, (name, tag) in enumerate([("nodejstemplate", "v1.0.0"), ("worker", "v2")]):
        at.main.selectbox[0].set_value(number).run()
        assert (field(at, "Repository"), field(at, "Tag")) == (name, tag)
        assert f"docker tag casacloud/{name}:{tag} {server_of(session)}/{name}:{tag}" in texts(at)


def test_names_of_others_are_shown_as_text(open_view: Open) -> None:
    name = "contoso/<b>*x*</b>[a](http://b)\u202e:v1"
    at = uploaded(open_view, archive(name))
    assert not at.exception
    assert "InvalidRepository" in texts(at)


def test_an_archive_on_the_server_is_pushed_as_a_job_that_any_process_continues(
    open_view: Open, session: AzureSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "archives"
    folder.mkdir()
    (folder / "node.tar").write_bytes(archive())
    monkeypatch.setenv("ACR_CONSOLE_ARCHIVES", str(folder))
    at = open_view("push.py", registry=SERVER)
    next(one for one in at.segmented_control if one.label == "Archive").set_value("On the server").run()
    box = next(one for one in at.selectbox if one.label == "Archive on the server")
    assert [option.partition(" ·")[0] for option in box.options] == ["node.tar"]
    box.select_index(0).run()
    assert "it goes on by itself" in texts(at)
    button(at, "Push image").click().run()
    (job,) = runs_of(at)
    assert (job.attempt, job.details["archive"][0]) == (1, "node.tar")
    at = ended(at, session)
    assert any("Pushed and verified" in success.value for success in at.success)
    assert tags_of(session, "node") == {"v2": digest_of("amd64", "arm64")}


def test_a_folder_of_archives_that_can_not_be_read_says_so(
    open_view: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACR_CONSOLE_ARCHIVES", str(tmp_path / "nowhere"))
    at = open_view("push.py", registry=SERVER)
    next(one for one in at.segmented_control if one.label == "Archive").set_value("On the server").run()
    assert "NoArchives" in texts(at)
    assert not at.exception


def test_the_record_of_an_upload_whose_process_ended_says_what_to_do(open_view: Open, session: AzureSession) -> None:
    at = uploaded(open_view, archive())
    assert "If the console restarts during the push, push again: what is there is skipped." in texts(at)
    button(at, "Push image").click().run()
    (job,) = runs_of(at)
    assert job.attempt == 0
    ended(at, session)
    with database().begin() as db:  # As if it had been killed before its end.
        db.exec_driver_sql("UPDATE jobs SET ended = NULL, lease_until = begun")
    record = open_view("deletions.py", record=job.id)
    assert any("Push it again: what is there is skipped." in one.value.replace("\\", "") for one in record.warning)
    assert job.items[0].digest in texts(record).replace("\\", "").replace("\u2060", "")


def runs_of(at: AppTest) -> list[Job]:
    found = [find_job(database(), connection.who(), job) for job in at.session_state["jobs: Push image"]]
    return [job for job in found if job]


def test_the_limit_and_the_lines_beyond_it_are_said(open_view: Open, session: AzureSession) -> None:
    at = open_view("push.py", registry=SERVER)
    server = server_of(session)
    shown = texts(at)
    assert "Up to 200 MB" in shown
    for line in (
        "az acr login --name casaacr01",
        f"docker push {server}/team/app:v1.0.0",
        f"skopeo copy --all oci-archive:image.tar docker://{server}/team/app:v1.0.0",
    ):
        assert line in shown


def test_without_a_registry_it_says_what_to_do(open_view: Open, own: OwnSandbox) -> None:
    own.make_registry("contosoother")
    own.make_registry("contosothird")
    assert "Choose a registry" in texts(open_view("push.py", as_session=own.session()))


def test_a_console_that_listens_to_everyone_pushes_nothing(open_view: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    refusal = "This console listens on 0.0.0.0: other machines can reach it, and it has no sign-in."
    monkeypatch.setattr(write_permission, "current", lambda: WritePermission(refusal))
    at = open_view("push.py", registry=SERVER)
    assert f"Read-only. {plain(refusal)}" in texts(at)
    with pytest.raises(AppTestError):
        at.file_uploader[0].set_value(("image.tar", archive(), "application/x-tar")).run()


def test_what_is_not_offered_and_not_pushed_is_listed(open_view: Open) -> None:
    beside = uploaded(open_view, (FOLDER / "layout-with-artifact-manifest.tar").read_bytes())
    assert [one.label for one in beside.expander if one.label.startswith("Not")] == [
        "Not offered: 1 entry of the archive"
    ]
    assert "is of a kind that is not pushed here" in texts(beside)
    foreign = uploaded(open_view, (FOLDER / "windows-index-foreign-layer.tar").read_bytes())
    assert [one.label for one in foreign.expander if one.label.startswith("Not")] == [
        "Not pushed: 2 layers of the image"
    ]
    assert "clients load it from" in texts(foreign)
