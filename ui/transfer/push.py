"""The form that pushes an archive from this computer: the file, the image in it, its name, the plan, the result."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import streamlit as st

from services.commands import images as az_images
from services.commands import sign_in as az_sign_in
from services.connection.changes import Outcome
from services.jobs.jobs import Job
from services.registries.registry import Registry
from services.transfer.archive_images import Archive, ArchiveImage, Content, propose_name
from services.transfer.archives import read_archive
from services.transfer.push import MOUNTED, PushPlan, read_push_plan
from services.transfer.push_jobs import ArchiveFile, list_archives, tag_item
from services.wording import counted
from ui.elements.columns import Sizes
from ui.elements.errors import panel, show_error
from ui.elements.metrics import Metric, show_metrics
from ui.elements.page import az_lines
from ui.elements.table import show_rows
from ui.elements.text import plain, short, size
from ui.elements.writing import confirm, may_write
from ui.jobs.notices import show_from_now, show_jobs, shown_jobs
from ui.loaders import contents as contents_loader
from ui.loaders import images as image_loaders
from ui.loaders import registries as registry_loaders
from ui.navigation import pages, selection
from ui.navigation.links import link_to
from ui.runtime import connection
from ui.runtime.background import Reading, show_progress, start
from ui.runtime.settings import read_settings
from ui.transfer import push_runs

_STATE = "the archive to push"
UPLOADED, ON_SERVER = "From this computer", "On the server"


@dataclass
class _Upload:
    """An archive, and what was read and planned from it so far. Each is done once, not with every rerun.

    `on_server` is None for one that the browser uploaded.
    """

    file_id: str
    name: str
    on_server: ArchiveFile | None
    archive: Reading[Archive]
    contents: dict[str, Reading[Content | None]] = field(default_factory=dict)
    plans: dict[tuple[str, str, str, str], PushPlan] = field(default_factory=dict)


@dataclass(frozen=True)
class _Chosen:
    """The image of the archive, by a name that it has there, and where it is to be pushed; "" is not known yet."""

    name: str
    repository: str
    tag: str


def forget_plans() -> None:
    """Makes the next run plan again: the registry may have changed."""
    if upload := st.session_state.get(_STATE):
        upload.plans = {}


def _forget_upload() -> None:
    st.session_state.pop(_STATE, None)


def _forget_content(upload: _Upload, key: str) -> None:
    upload.contents.pop(key, None)


def show_push_form(who: str, registry: Registry) -> None:
    """Shows the pushes to a registry, and the form for a new one."""
    _show_pushes(who, registry)
    folder = read_settings().archives
    on_server = folder is not None and st.segmented_control(
        "Archive", (UPLOADED, ON_SERVER), default=UPLOADED, required=True, key="archive from"
    )
    chosen, name = _Chosen("", "", ""), ""
    with panel():
        upload = _choose_on_server(folder) if folder and on_server == ON_SERVER else _choose_file()
        if upload is None:
            _forget_upload()
        else:
            name = upload.name
            chosen = _show_upload(who, registry, upload)
    _show_lines(registry, chosen, name or "image.tar")


def _choose_file() -> _Upload | None:
    """Asks for an archive from this computer."""
    limit = int(st.get_option("server.maxUploadSize"))
    file = st.file_uploader(
        "Archive (OCI layout or docker save, may be gzipped)",
        type=["tar", "gz", "tgz"],
        key="archive",
        disabled=not may_write(),
    )
    st.markdown(
        f"Up to {limit:,} MB, kept in this console's memory until you remove it. If the console restarts during the "
        "push, push again: what is there is skipped. For larger ones, use the lines at the end of this page.",
        help="`server.maxUploadSize` in `.streamlit/config.toml` sets the limit",
    )
    if file is None or not may_write():
        return None
    return _upload_of(file.file_id, file.name, file, None)


def _choose_on_server(folder: Path) -> _Upload | None:
    """Asks for one of the archives in the server's folder. Raises ServiceError where it can't be read."""
    found = list_archives(folder)
    if not found:
        st.info("The server's folder has no archives (`.tar`, `.tar.gz`, `.tgz`).", icon=":material/folder_open:")
        return None
    file = st.selectbox(
        "Archive on the server",
        found,
        None,
        format_func=lambda one: f"{one.name} · {size(one.size)}",
        placeholder="Choose an archive",
        disabled=not may_write(),
    )
    st.markdown("If the console restarts during the push, it goes on by itself.")
    if file is None or not may_write():
        return None
    return _upload_of(f"{file.name} {file.size}", file.name, folder / file.name, file)


def _upload_of(file_id: str, name: str, source: BinaryIO | Path, on_server: ArchiveFile | None) -> _Upload:
    """The state of this file. That of another one is dropped, which frees its memory."""
    upload: _Upload | None = st.session_state.get(_STATE)
    if upload is None or upload.file_id != file_id:

        def read(reading: Reading[Archive]) -> None:
            reading.value = read_archive(
                source, progress=lambda done, of: reading.report(done, of, "the archive"), stop=reading.stop
            )

        upload = _Upload(file_id, name, on_server, start(Archive((), ()), read, amount=size))
        st.session_state[_STATE] = upload
    return upload


def _show_upload(who: str, registry: Registry, upload: _Upload) -> _Chosen:
    """Shows the choices and the plan; returns what is chosen and typed."""
    show_progress(upload.archive, f"archive {upload.file_id}")
    if upload.archive.error:
        show_error(upload.archive.error)
        st.button("Try again", icon=":material/refresh:", on_click=_forget_upload)
    if upload.archive.running or upload.archive.error:
        return _Chosen("", "", "")
    archive = upload.archive.value
    choices = [(image, name) for image in archive.images for name in image.names or ("",)]
    number = st.selectbox(
        f"Image in the archive ({counted(len(archive.images), 'image')})",
        range(len(choices)),
        format_func=lambda at: _label(*choices[at]),
        key=f"image of {upload.file_id}",
    )
    _show_list(
        f"Not offered: {counted(len(archive.left_out), 'entry', 'entries')} of the archive",
        [f"{one.name}: {one.error.cause} {one.error.remedy}" for one in archive.left_out],
    )
    image, name = choices[number]
    _show_list(f"Not pushed: {counted(len(image.not_pushed), 'layer')} of the image", image.not_pushed)
    named_repository, named_tag = propose_name(name)
    left, right = st.columns([2, 1])
    with left:
        repository = st.text_input(
            "Repository",
            named_repository,
            key=f"to {upload.file_id} {number}",
            placeholder="team/app",
            help="Proposed: the last part of the image's local name",
        ).strip()
    with right:
        tag = st.text_input("Tag", named_tag, key=f"as {upload.file_id} {number}", placeholder="v1.0.0").strip()
    content = _content_of(upload, image)
    show_progress(content, f"content {upload.file_id} {image.key}")
    if content.error:
        show_error(content.error)
        st.button("Check again", icon=":material/refresh:", on_click=_forget_content, args=(upload, image.key))
    elif content.value and repository and tag:
        _show_plan(who, registry, upload, image, content.value, repository, tag)
    elif content.value:
        st.info("Type a repository and a tag.", icon=":material/edit:")
    return _Chosen(name, repository, tag)


def _show_list(title: str, lines: Sequence[str]) -> None:
    """Shows what is in the archive and not pushed; nothing where `lines` is empty."""
    if lines:
        with st.expander(title, icon=":material/info:"):
            st.markdown("\n".join(f"- {plain(line)}" for line in lines))


def _label(image: ArchiveImage, name: str) -> str:
    parts = (
        name or short(image.key),
        ", ".join(image.platforms),
        size(image.size),
        "one platform of an index that can't be pushed" if image.of_index else "",
        "incomplete" if image.missing else "",
    )
    return " · ".join(part for part in parts if part)


def _content_of(upload: _Upload, image: ArchiveImage) -> Reading[Content | None]:
    if image.key not in upload.contents:

        def prepare(reading: Reading[Content | None]) -> None:
            reading.value = image.prepare(lambda done, of: reading.report(done, of, "layers"), reading.stop)

        upload.contents[image.key] = start(None, prepare, verb="Checking", amount=size)
    return upload.contents[image.key]


def _show_plan(
    who: str,
    registry: Registry,
    upload: _Upload,
    image: ArchiveImage,
    content: Content,
    repository: str,
    tag: str,
) -> None:
    server = registry.login_server
    if push_runs.under_way(who, server, repository, tag):
        st.info("A push to this tag is in progress: see above.", icon=":material/upload:")
        return
    key = (server, content.digest, repository, tag)
    if key not in upload.plans:
        if not _read_what_is_there(who, registry):
            return
        client = connection.session(who).registry(server)
        upload.plans[key] = read_push_plan(
            client, content, repository, tag, elsewhere=contents_loader.known_blobs(who, server)
        )
    plan = upload.plans[key]
    if plan.blockers:
        confirm(plan, "Push image", icon=":material/upload:", in_dialog=False)
        return
    show_metrics(
        [
            Metric("To send", size(plan.bytes("send"))),
            Metric("Already there", size(plan.bytes("there"))),
            Metric(
                "Mounted",
                size(plan.bytes("mount")),
                help="Already in other repositories of this registry, so not sent again.",
            ),
        ]
    )
    st.markdown(_tag_sentence(plan))
    move_confirmed = st.checkbox("Move the existing tag", key=f"move {key}") if plan.moves else True
    label = "Push image and move tag" if plan.moves else "Push image"
    if confirm(plan, label, ready=move_confirmed, icon=":material/upload:", in_dialog=False):
        del upload.plans[key]
        show_from_now(push_runs.PUSH, push_runs.begin(who, server, content, plan, image.key, upload.on_server))


def _read_what_is_there(who: str, registry: Registry) -> bool:
    """Reads the registry's contents, so that layers it has are mounted and not sent; returns whether to plan now.

    A large registry is not read for that, and one whose list is refused can still be pushed to.
    """
    server = registry.login_server
    catalogue = registry_loaders.catalogue(who, server)
    show_progress(catalogue, f"catalogue {registry.id}")
    if catalogue.running:
        return False
    manifests = catalogue.value.manifests
    if (
        contents_loader.last_count(who, server)
        or catalogue.error
        or manifests is None
        or manifests > image_loaders.LARGE
    ):
        return True
    reading = contents_loader.registry(who, server)
    show_progress(reading, f"contents of {registry.id}")
    return not reading.running


def _tag_sentence(plan: PushPlan) -> str:
    repository, tag, digest = f"**{plain(plan.repository)}**", f"**{plain(plan.tag)}**", short(plan.digest)
    new = f"{repository} is new. " if plan.new_repository else ""
    if plan.moves:
        return f"{tag} exists in {repository}. It moves from {short(plan.current_digest or '')} to {digest}."
    if plan.current_digest:
        return f"{tag} in {repository} points to {digest} already. Only what is missing is sent."
    return f"{new}{tag} is a new tag. It will point to {digest}."


def _show_pushes(who: str, registry: Registry) -> None:
    """Shows the pushes to this registry by this identity that run, and those that ended lately, until dismissed: of
    each tag the last."""
    last = {push_runs.target_of(job): job.id for job in shown_jobs(who, push_runs.PUSH)}
    show_jobs(
        who,
        push_runs.PUSH,
        lambda job: _show_result(registry, job),
        stop="Stop",
        only=lambda job: job.login_server == registry.login_server and job.id in last.values(),
    )


def _show_result(registry: Registry, job: Job) -> None:
    """Shows what became of the tag, and of each layer, config and manifest."""
    _, repository, tag = push_runs.target_of(job)
    st.markdown(f"**{plain(f'{repository}:{tag}')}**")
    sizes: Mapping[str, int] = job.details["sizes"]
    blobs = [item for item in job.items if item.digest in sizes]
    results = {item.digest: job.results[item.name].outcome for item in blobs if item.name in job.results}
    sent = sum(sizes[digest] for digest, outcome in results.items() if outcome == Outcome.CREATED)
    tagged = tag_item(tag) in job.results
    if tagged:
        st.success(
            f"Pushed and verified: {plain(tag)} points to {short(job.details['digest'])}. {size(sent)} sent.",
            icon=":material/check_circle:",
        )
    elif not job.error:
        st.warning(
            f"Stopped. The tag was not set. {size(sent)} sent: a second push skips it.", icon=":material/stop_circle:"
        )
    words: Mapping[str, str] = {Outcome.CREATED: "sent", Outcome.ALREADY_DONE: "already there", MOUNTED: "mounted"}
    with st.expander(counted(len(blobs), "layer and config", "layers and configs"), icon=":material/layers:"):
        show_rows(
            [
                {
                    "Digest": item.digest,
                    "Size": sizes[item.digest],
                    "Result": words.get(results.get(item.digest, ""), "not sent"),
                }
                for item in blobs
            ],
            "The result of each layer and config",
            key=f"blobs of {job.id}",
            columns={"Size": Sizes()},
        )
    if not tagged:
        return
    link_to(
        pages.IMAGE,
        "Open image",
        registry=selection.key_of(registry, registry_loaders.inventory(connection.who()).value.registries.values),
        repository=repository,
        reference=tag,
    )


def _show_lines(registry: Registry, chosen: _Chosen, file: str) -> None:
    server, repository, tag = registry.login_server, chosen.repository or "team/app", chosen.tag or "v1.0.0"
    local = chosen.name if "/" in chosen.name or ":" in chosen.name else f"{repository}:{tag}"
    az_lines(
        az_sign_in.sign_in(registry.name),
        az_images.tag_for_registry(local.removeprefix("docker.io/").removeprefix("library/"), server, repository, tag),
        az_images.push(server, repository, tag),
        label="The same with docker, for images of any size",
    )
    az_lines(
        az_sign_in.skopeo_sign_in(registry.name, server),
        az_images.skopeo_copy(f"oci-archive:{file}", server, repository, tag),
        az_images.skopeo_copy(f"docker-archive:{file}", server, repository, tag),
        label="The same with skopeo, from an archive of any size",
    )
