"""Promoting an image to another registry: a copy by digest with its referrers, after the checks that the person
chooses, and its tag locked if wanted."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

import streamlit as st

from services.images.manifests import Manifest
from services.images.repositories import ManifestRow
from services.promotion.checks import Check, objections
from services.promotion.jobs import (
    ACTION,
    CheckedCopy,
    lock_commands,
    promotion_details,
    promotion_items,
    run_promotion,
)
from services.registries.registry import Registry
from services.transfer.copy_plan import Source, read_copy_plan
from ui.elements.notices import dialog
from ui.elements.writing import PlainPlan, close_button, confirm, dialog_panel
from ui.jobs.kinds import JobKind
from ui.jobs.notices import begin_and_show
from ui.jobs.promotion import show_checks
from ui.runtime import connection
from ui.transfer.copy import COPY, choose_registry, confirm_moves, effect_of, show_plan, split_names
from ui.transfer.promotion_checks import choose_checks, run_checks

CHECKS = "**Checks.** What fails or is unknown is not promoted. A signature is looked for, and not verified."
PROMOTE = JobKind(ACTION, "Promoting", run_promotion, COPY.forget)


@dialog("Promote image", width="large")
def promote(
    who: str, registry: Registry, repository: str, reference: str, row: ManifestRow, manifest: Manifest
) -> None:
    """Promotes the image of `row`, shown as `reference`, to another registry of the inventory."""
    left, middle, right = st.columns(3)
    with left:
        target = choose_registry("Target registry", who, None, key="promote to")
    name = middle.text_input("Repository", repository, key="promote repository")
    tags = right.text_input("Tags", "" if ":" in reference else reference, key="promote tags", placeholder="v1.0.1")
    st.markdown(CHECKS)
    chosen = choose_checks(who)
    checks = run_checks(who, registry, repository, row, manifest, chosen, datetime.now(UTC))
    show_checks(checks)
    lock = choose_lock("Lock the tag in the target")
    if target is None or not (name or "").strip():
        st.markdown("Choose a target registry to see the plan.")
        close_button()
        return
    if target.id == registry.id and (name or "").strip() == repository and not split_names(tags):
        st.markdown("That is where the image is: choose another registry, repository or tag.")
        close_button()
        return
    with dialog_panel():
        source = Source(registry.login_server, repository, row.digest, registry)
        _plan_and_promote(
            who, source, target, (name or "").strip(), split_names(tags), checks, chosen.unchecked, lock=lock
        )


def choose_lock(label: str) -> bool:
    """Asks whether the tags are locked in the target."""
    return st.checkbox(label, help="It can then be neither moved nor deleted", key="promote lock")


def _plan_and_promote(
    who: str,
    source: Source,
    target: Registry,
    repository: str,
    tags: Sequence[str],
    checks: tuple[Check, ...],
    unchecked: Sequence[str],
    *,
    lock: bool,
) -> None:
    """Shows the plan of the copy with what the checks object, and the button that begins it. Raises ServiceError."""
    with st.spinner("Reading the source and the target"):
        plan = read_copy_plan(
            connection.session(who), source, target, [(repository, tag) for tag in tags], [] if tags else [repository]
        )
    show_plan(plan)
    moved = confirm_moves([plan])
    image = CheckedCopy(plan, checks)
    shown = PlainPlan(objections_to(image), plan.warnings, commands_of(image, lock=lock))
    to_do = plan.todo or plan.referrers_todo or (lock and tags)
    if confirm(
        shown,
        "Promote image",
        ready=bool(to_do) and moved,
        icon=":material/upgrade:",
        effect=(effect_of(plan), checks, lock),
    ):
        begin_and_show(
            who,
            replace(PROMOTE, run=partial(run_promotion, plans=[plan])),
            target.login_server,
            promotion_items([plan], lock=lock),
            promotion_details([image], unchecked, lock=lock),
            repository=repository,
        )


def objections_to(image: CheckedCopy) -> tuple[str, ...]:
    """Why an image is not promoted: its checks, and its plan."""
    unread = () if image.plan.content else ("The source could not be read: what is promoted would not be known.",)
    return (*objections(image.checks), *unread, *image.plan.blockers)


def commands_of(image: CheckedCopy, *, lock: bool) -> tuple[str, ...]:
    """The lines that copy an image, and with `lock` lock its tags."""
    return (*image.plan.commands, *(lock_commands(image.plan) if lock else ()))
