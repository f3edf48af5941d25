"""Copying an image to another repository or registry: the form, the plan, and how copies ended."""

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import NoReturn

import streamlit as st

from services.jobs.jobs import Job
from services.registries.registry import Registry
from services.transfer.copy_jobs import ACTION, as_details, as_items, copies_of, run_copies
from services.transfer.copy_plan import MOST_MANIFESTS, CopyItem, CopyPlan, Source, parse_source, read_copy_plan
from services.transfer.copy_referrers import ReferrerItem
from services.wording import counted
from ui.elements.errors import panel
from ui.elements.notices import dialog
from ui.elements.text import as_option, plain, short, size
from ui.elements.writing import close_button, confirm, dialog_panel
from ui.jobs.kinds import JobKind
from ui.jobs.notices import begin_and_show, show_jobs, show_results
from ui.loaders import images as image_loaders
from ui.loaders import registries as registry_loaders
from ui.navigation import pages, selection
from ui.navigation.links import link_to
from ui.runtime import connection

_FORM = "copy form: number of copies started"

AZURE, PUBLIC, OTHER = "A registry in the inventory", "Docker Hub or MCR", "Another registry"
SOURCES = (AZURE, PUBLIC, OTHER)


@dialog("Copy image", width="medium")
def copy_to(who: str, registry: Registry, repository: str, reference: str, digest: str) -> None:
    """Copies the image at `digest`, shown as `reference`. Azure copies: no layer passes through this console."""
    target = choose_registry("Target registry", who, registry)
    if target is None:
        close_button()
        return
    tag = "" if ":" in reference else reference
    same = target.id == registry.id
    name = st.text_input("Repository", f"{repository}-copy" if same else repository, key=f"copy to {target.id}")
    tags = st.text_input("Tags", tag, placeholder="v1.0.1, stable", help="Without a tag the manifest alone is copied.")
    if not name:
        close_button()
        return
    source = Source(registry.login_server, repository, digest, registry)
    with dialog_panel():
        _plan_and_copy(who, source, target, name or "", split_names(tags), in_dialog=True)


def show_copy_form(who: str, registry: Registry) -> None:
    """Copies an image into `registry`, from one in the inventory, from a public one, or from another with a login."""
    sent = st.session_state.setdefault(_FORM, 0)
    kind = st.segmented_control("From", SOURCES, default=AZURE, required=True, key="copy from", format_func=as_option)
    with panel():
        source = _choose_source(who, kind or AZURE, sent)
        if source is None:
            st.markdown("Enter an image to see the plan.")
            return
        left, right = st.columns(2)
        repository = left.text_input("Target repository", source.repository, key=f"copy repository {source.name}")
        tag = "" if ":" in source.reference else source.reference
        tags = right.text_input(
            "Tags",
            tag,
            key=f"copy tags {source.name}",
            placeholder="v1.0.1, stable",
            help="Without a tag the manifest alone is copied.",
        )
        if repository:
            _plan_and_copy(who, source, registry, repository, split_names(tags), in_dialog=False)


def show_copies(who: str, kind: JobKind, *, server: str = "", repository: str = "") -> None:
    """Shows the copies of `who` that run, wherever, and those that ended lately, until they are dismissed: those from
    or to the repository of the registry at the address `server`, or all."""

    def is_here(job: Job) -> bool:
        sources = [(one.source.server, one.source.repository) for one in copies_of(job)]
        return not server or (server, repository) in ((job.login_server, job.repository), *sources)

    show_jobs(who, kind, _show_end, stop="Stop", only=is_here)


def _show_end(job: Job) -> None:
    show_results(job)
    if job.repository:
        link_to(pages.REPOSITORY, "Open target", registry=job.login_server, repository=job.repository)


def choose_registry(label: str, who: str, chosen: Registry | None, key: str | None = None) -> Registry | None:
    """A box with the registries of the inventory, with `chosen` in it at first."""
    listed = registry_loaders.inventory(who).value.registries
    found = selection.with_login_server(listed)
    keys = selection.keys_of(found)
    index = next((at for at, registry in enumerate(found) if chosen and registry.id == chosen.id), None)
    return st.selectbox(
        label,
        found,
        index,
        format_func=lambda registry: keys[registry.id],
        key=key,
        help=selection.not_offered(listed) or None,
    )


def _choose_source(who: str, kind: str, sent: int) -> Source | None:
    """Asks for the source image; None until one is entered. Raises ServiceError for what is no image name."""
    if kind == AZURE:
        left, right = st.columns(2)
        with left:
            registry = choose_registry("Source registry", who, None, f"copy source {sent}")
        image = right.text_input("Image", placeholder="team/app:v1.0.0", key=f"copy azure image {sent}")
        if registry is None or not image:
            return None
        return replace(parse_source(f"{registry.login_server}/{image.strip()}"), registry=registry)
    if kind == PUBLIC:
        image = st.text_input(
            "Image", placeholder="nginx:1.29 or mcr.microsoft.com/dotnet/runtime:10.0", key=f"copy public {sent}"
        )
        return parse_source(image) if image else None
    image = st.text_input("Image", placeholder="registry.contoso.com/team/app:v1.0.0", key=f"copy image {sent}")
    left, right = st.columns(2)
    user = left.text_input("User name", key=f"copy user {sent}", autocomplete="off")
    password = right.text_input(
        "Password or token", type="password", key=f"copy password {sent}", autocomplete="new-password"
    )
    return parse_source(image, user or "", password or "") if image else None


def split_names(text: str | None) -> list[str]:
    """The names in a field, divided by blanks or commas."""
    return [word for word in re.split(r"[\s,]+", text or "") if word]


def _plan_and_copy(
    who: str, source: Source, target: Registry, repository: str, tags: Sequence[str], *, in_dialog: bool
) -> None:
    """Shows the plan, and the button that starts it. Raises ServiceError."""
    with st.spinner("Reading the source and the target"):
        plan = read_copy_plan(
            connection.session(who),
            source,
            target,
            [(repository.strip(), tag) for tag in tags],
            [] if tags else [repository.strip()],
        )
    show_plan(plan)
    move_confirmed = confirm_moves([plan])
    if confirm(
        plan,
        "Copy image",
        ready=bool(plan.todo or plan.referrers_todo) and move_confirmed,
        icon=":material/content_copy:",
        in_dialog=in_dialog,
        effect=effect_of(plan),
    ):
        st.session_state[_FORM] = st.session_state.get(_FORM, 0) + 1  # An empty form, and no password in it.
        begin_copies(who, [plan])


def confirm_moves(plans: Sequence[CopyPlan]) -> bool:
    """The box to tick where tags move; True where none does. Its key has what moves where: who agreed to move one tag
    did not agree to move another."""
    moves = [(plan.target.id, item.name, item.current_digest, plan.digest) for plan in plans for item in plan.moves]
    return not moves or st.checkbox(f"Move {counted(len(moves), 'existing tag')}", key=f"move {moves}")


def effect_of(plan: CopyPlan) -> object:
    """What the commands of a plan do not say: where the tags point now, for `confirm`."""
    items = tuple((item.name, item.current_digest, item.known) for item in plan.todo)
    return plan.target.id, plan.source.name, plan.digest, items, tuple(item.name for item in plan.referrers_todo)


def show_plan(plan: CopyPlan) -> None:
    """Shows what a copy would do: the image, its targets, and what refers to it."""
    if plan.content:
        top = plan.content.top
        platforms = f", all its platforms: {plain(', '.join(dict.fromkeys(top.platforms)))}" if top.platforms else ""
        st.markdown(
            f"{short(top.digest)}, {size(plan.content.size)} in {counted(len(plan.content.manifests), 'manifest')} "
            f"(Azure copies up to {MOST_MANIFESTS}){platforms}."
        )
    st.markdown("\n".join(f"- {item_sentence(item, plan)}" for item in plan.items))
    if plan.content:
        _show_referrers(plan.referrers, unread=bool(plan.unread_referrers))


def _show_referrers(items: Sequence[ReferrerItem], *, unread: bool) -> None:
    """The signatures, SBOMs and attestations that were found; why some are unknown is among the plan's warnings."""
    if not items and unread:
        st.markdown("Unknown whether a signature, SBOM or attestation refers to it: they could not be read.")
        return
    if not items:
        st.markdown("No signature, SBOM or attestation that refers to it was found.")
        return
    st.markdown("Signatures, SBOMs and attestations that refer to it or to its platforms:")
    st.markdown("\n".join(f"- {_referrer_sentence(item)}" for item in items))


def _referrer_sentence(item: ReferrerItem) -> str:
    to = item.referrer.tag or "without a tag"
    name = f"{plain(item.referrer.artifact_type)} {short(item.referrer.digest)} to **{plain(item.repository)}**"
    if item.left:
        return f"{name}: :orange[stays behind.] {plain(item.left)}"
    return f"{name} is there already." if item.there else f"{name}, {plain(to)}."


def item_sentence(item: CopyItem, plan: CopyPlan) -> str:
    """What the copy does to one item of its plan, as markdown."""
    name = f"**{plain(item.name)}**"
    if item.blocker:
        return f"{name}: :red[not possible.] {plain(item.blocker)}"
    if item.there:
        return f"{name} already has this digest: nothing to do."
    if not item.tag:
        return f"{name} gets the manifest, without a tag."
    if item.current_digest:
        to = short(plan.digest) if plan.digest else "the digest that the source then has"
        return f"{name} exists. It moves from {short(item.current_digest)} to {to}."
    return f"{name} is new." if item.known else f"{name}: it is unknown whether it exists."


def begin_copies(who: str, plans: Sequence[CopyPlan]) -> NoReturn:
    """Begins to copy the images of these plans, all with one target, and runs the page again, which shows it.

    Passwords stay in this process: another one refuses to go on with what needs one.
    """
    repositories = {item.repository for plan in plans for item in plan.items}
    begin_and_show(
        who,
        replace(COPY, run=partial(run_copies, plans=plans)),
        plans[0].target.login_server,
        as_items(plans),
        as_details(plans),
        repository=repositories.pop() if len(repositories) == 1 else "",
    )


def _forget(job: Job) -> None:
    """Drops what copies make stale in the target, also where they failed: they may have been made."""
    who, server = job.who, job.login_server
    registry_loaders.catalogue.clear(who, server)
    for item in (item for copy in copies_of(job) for item in copy.items):
        if item.tag:
            image_loaders.tag.clear(who, server, item.repository, item.tag)
        for digest in {item.current_digest} - {None}:
            image_loaders.manifest_row.clear(who, server, item.repository, digest)
        image_loaders.forget_changed(who, server, item.repository)


COPY = JobKind(ACTION, "Copying", run_copies, _forget)
