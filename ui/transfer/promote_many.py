"""Promoting several images of one repository at once: one plan with the checks of each, one job, one record."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

import streamlit as st

from services.connection.errors import ServiceError
from services.connection.parallel import Partial, Refusal
from services.promotion.jobs import CheckedCopy, promotion_details, promotion_items, run_promotion
from services.registries.registry import Registry
from services.transfer.copy_plan import Source, read_copy_plan
from services.wording import counted
from ui.elements.errors import Part, show_partial
from ui.elements.notices import dialog
from ui.elements.text import plain
from ui.elements.writing import (
    PlainPlan,
    close_button,
    confirm,
    counted_action,
    dialog_panel,
    pressed_in_dialog,
)
from ui.jobs.notices import begin_and_show
from ui.jobs.promotion import show_checks
from ui.loaders import images as image_loaders
from ui.runtime import connection
from ui.transfer.copy import choose_registry, confirm_moves, effect_of, item_sentence
from ui.transfer.copy_many import MOST_IMAGES
from ui.transfer.promote import CHECKS, PROMOTE, choose_lock, commands_of, objections_to
from ui.transfer.promotion_checks import ChosenChecks, choose_checks, run_checks

_READ = "images to promote, as read"


def promote_images(who: str, registry: Registry, repository: str, tags: Mapping[str, Sequence[str]]) -> None:
    """Opens the dialog that promotes images of `repository` to another registry: digest → its tags, which it keeps."""
    st.session_state.pop(_READ, None)  # Each opening reads anew, and so does the click that confirms.
    _ask_and_promote(who, registry, repository, tags)


@dialog("Promote images", width="large")
def _ask_and_promote(who: str, registry: Registry, repository: str, tags: Mapping[str, Sequence[str]]) -> None:
    if len(tags) > MOST_IMAGES:
        st.info(f"Select at most {MOST_IMAGES} images to promote at once.", icon=":material/info:")
        close_button()
        return
    left, right = st.columns(2)
    with left:
        target = choose_registry("Target registry", who, None, key="promote to")
    name = (right.text_input("Repository", repository, key="promote repository") or "").strip()
    st.markdown(CHECKS)
    chosen = choose_checks(who)
    lock = choose_lock("Lock the tags in the target")
    if target is None or not name:
        st.markdown("Choose a target registry to see the plan.")
        close_button()
        return
    if target.id == registry.id and name == repository:
        st.markdown("That is where the images are: choose another registry or repository.")
        close_button()
        return
    with dialog_panel():
        read = _read_images(who, registry, repository, target, name, tags, chosen)
        show_partial(Part(read, "image"))
        left_out = [(", ".join(tags[one.plan.source.reference]), why) for one in read.values if (why := _why_not(one))]
        left_out += [(one.what, str(one.error)) for one in read.refused]
        _show_images(read.values, tags)
        todo = [one for one in read.values if not objections_to(one) and _has_work(one, lock=lock)]
        moved = confirm_moves([one.plan for one in todo])
        if confirm(
            _joint(todo, left_out, lock=lock),
            counted_action("Promote", len(todo), "image"),
            ready=bool(todo) and moved,
            icon=":material/upgrade:",
            effect=(tuple((effect_of(one.plan), one.checks) for one in todo), lock),
        ):
            plans = [one.plan for one in todo]
            begin_and_show(
                who,
                replace(PROMOTE, run=partial(run_promotion, plans=plans)),
                target.login_server,
                promotion_items(plans, lock=lock),
                promotion_details(todo, chosen.unchecked, lock=lock, left_out=left_out),
                repository=name,
            )


def _read_images(
    who: str,
    registry: Registry,
    repository: str,
    target: Registry,
    name: str,
    tags: Mapping[str, Sequence[str]],
    chosen: ChosenChecks,
) -> Partial[CheckedCopy]:
    """The plan and the checks of each image, kept until something else is chosen; read anew for the click that
    confirms. An image that can't be read is refused by itself."""
    asked = (registry.id, repository, target.id, name, chosen, *((digest, *names) for digest, names in tags.items()))
    if st.session_state.get(_READ, (None,))[0] != asked or pressed_in_dialog():
        found: list[CheckedCopy] = []
        refused: list[Refusal] = []
        with st.spinner(f"Checking {counted(len(tags), 'image')} and reading the target"):
            for digest, names in tags.items():
                try:
                    found.append(_read_image(who, registry, repository, target, name, digest, names, chosen))
                except ServiceError as error:
                    refused.append(Refusal(", ".join(names), error))
        st.session_state[_READ] = asked, Partial(tuple(found), tuple(refused))
    kept: Partial[CheckedCopy] = st.session_state[_READ][1]
    return kept


def _read_image(
    who: str,
    registry: Registry,
    repository: str,
    target: Registry,
    name: str,
    digest: str,
    names: Sequence[str],
    chosen: ChosenChecks,
) -> CheckedCopy:
    server = registry.login_server
    row = image_loaders.manifest_row(who, server, repository, digest).value
    manifest = image_loaders.manifest(who, server, repository, digest)
    checks = run_checks(who, registry, repository, row, manifest, chosen, datetime.now(UTC))
    source = Source(server, repository, digest, registry)
    plan = read_copy_plan(connection.session(who), source, target, [(name, tag) for tag in names])
    return CheckedCopy(plan, checks)


def _why_not(image: CheckedCopy) -> str:
    return " ".join(objections_to(image))


def _has_work(image: CheckedCopy, *, lock: bool) -> bool:
    return bool(image.plan.todo or image.plan.referrers_todo or lock)


def _show_images(images: Sequence[CheckedCopy], tags: Mapping[str, Sequence[str]]) -> None:
    """Each image with what is copied, its signatures and the like, and its checks."""
    for image in images:
        plan = image.plan
        with st.container(border=True):
            head = ", ".join(tags[plan.source.reference])
            st.markdown(f"**{plain(head)}**" + (": :red[not promoted]" if objections_to(image) else ""))
            st.markdown("\n".join(f"- {item_sentence(item, plan)}" for item in plan.items))
            number = counted(
                len(plan.referrers_todo), "signature, SBOM or attestation", "signatures, SBOMs and attestations"
            )
            st.markdown(f"With {'at least ' if plan.unread_referrers else ''}{number}.")
            if image.checks:
                show_checks(image.checks)


def _joint(todo: Sequence[CheckedCopy], left_out: Sequence[tuple[str, str]], *, lock: bool) -> PlainPlan:
    """What all plans say, each thing once. What keeps one image from being promoted keeps the others only where none is
    left."""
    reasons = tuple(f"{name} is not promoted: {why}" for name, why in left_out)
    warnings = dict.fromkeys(warning for one in todo for warning in one.plan.warnings)
    return PlainPlan(
        () if todo else reasons,
        (*(reasons if todo else ()), *warnings),
        tuple(line for one in todo for line in commands_of(one, lock=lock)),
    )
