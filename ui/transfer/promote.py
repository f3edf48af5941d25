"""Promoting an image to another registry: a copy by digest with its referrers, after the checks that the person
chooses, and its tag locked if wanted."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

import streamlit as st

from services.connection.errors import ServiceError
from services.images.manifests import Kind, Manifest
from services.images.repositories import ManifestRow
from services.promotion.checks import (
    SBOM,
    SIGNED,
    Check,
    Verdict,
    check_age,
    check_sbom,
    check_signature,
    check_stage,
    objections,
)
from services.promotion.jobs import ACTION, lock_commands, promotion_details, promotion_items, run_promotion
from services.registries.registry import Registry
from services.running.join import place_images
from services.transfer.copy_plan import CopyPlan, Source, read_copy_plan
from ui.elements.notices import dialog
from ui.elements.writing import PlainPlan, close_button, confirm, dialog_panel
from ui.jobs.kinds import JobKind
from ui.jobs.notices import begin_and_show, show_jobs
from ui.jobs.promotion import show_checks
from ui.loaders import clusters
from ui.loaders import images as image_loaders
from ui.loaders import running as running_loader
from ui.runtime import connection
from ui.transfer.copy import COPY, choose_registry, confirm_moves, effect_of, show_plan, split_names

AGE, STAGE = "Not older than", "Runs in stage"
_LONGEST_AGE = 3650

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
    st.markdown("**Checks.** Without a pass of each that is chosen, nothing is promoted.")
    checks, unchecked = _ask_checks(who, registry, repository, row, manifest)
    show_checks(checks)
    lock = st.checkbox(
        "Lock the tag in the target", help="It can then be neither moved nor deleted", key="promote lock"
    )
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
        _plan_and_promote(who, source, target, (name or "").strip(), split_names(tags), checks, unchecked, lock=lock)


def show_promotions(who: str) -> None:
    """Shows the promotions of `who` that run, and those that ended lately, until they are dismissed."""
    show_jobs(who, PROMOTE, stop="Stop")


def _ask_checks(
    who: str, registry: Registry, repository: str, row: ManifestRow, manifest: Manifest
) -> tuple[list[Check], list[str]]:
    """The checks that are chosen, as they end, and the names of the others."""
    server = registry.login_server
    with st.container(horizontal=True, vertical_alignment="bottom"):
        signed = st.checkbox(SIGNED, True, help="A signature is there. It is not verified.", key="check signature")
        sbom = st.checkbox(SBOM, True, help="A software bill of materials is there", key="check sbom")
        age = st.checkbox(AGE, key="check age", help="By the day that the registry got it")
        stage = st.checkbox(STAGE, key="check stage", help="In a cluster that was asked what it runs within a day")
    found: list[Check] = []
    if signed or sbom:
        found += _check_evidence(who, server, repository, row.digest, manifest, signed=signed, sbom=sbom)
    now = datetime.now(UTC)
    if age:
        days = st.number_input("Days", 1, _LONGEST_AGE, 30, key="check days", width=160)
        found.append(check_age(row.created, int(days), now))
    if stage:
        found.append(_ask_stage(who, registry, repository, row, manifest, now))
    return found, [name for name, chosen in ((SIGNED, signed), (SBOM, sbom), (AGE, age), (STAGE, stage)) if not chosen]


def _check_evidence(
    who: str, server: str, repository: str, digest: str, manifest: Manifest, *, signed: bool, sbom: bool
) -> list[Check]:
    """Reads anew what refers to the image: what was there when the page was opened may have gone since."""
    for one in (image_loaders.referrers, image_loaders.evidence):
        one.clear(who, server, repository, digest)
    evidence = image_loaders.evidence(who, server, repository, digest).value
    platforms: dict[str, str] = {}
    if sbom and manifest.kind is Kind.INDEX:
        try:
            read = image_loaders.platforms(who, server, repository, digest)
            platforms = {name: child.digest for name, child in read.items()}
        except ServiceError as error:
            unread = Check(SBOM, Verdict.UNKNOWN, f"The platforms could not be read: {error.cause}")
            return [*([check_signature(evidence, digest)] if signed else []), unread]
    return [
        *([check_signature(evidence, digest)] if signed else []),
        *([check_sbom(evidence, digest, platforms)] if sbom else []),
    ]


def _ask_stage(
    who: str, registry: Registry, repository: str, row: ManifestRow, manifest: Manifest, now: datetime
) -> Check:
    """Asks which cluster is stage, and looks at what that answered."""
    reading = clusters.pulls(who)
    names = {one.id.lower(): one.name for one in reading.value.clusters.values}
    left, right = st.columns(2)
    cluster = left.selectbox(
        "Cluster of stage",
        sorted(names, key=lambda one: names[one]),
        None,
        format_func=lambda one: names.get(one, one),
        key="check cluster",
        help="The list is being read: look again in a moment" if reading.running else None,
    )
    namespace = right.text_input("Namespace", placeholder="all", key="check namespace").strip()
    if cluster is None:
        return Check(STAGE, Verdict.UNKNOWN, "Choose the cluster.")
    found = running_loader.find_answers(who)
    if found.error:
        return Check(f"Runs in {names[cluster]}", Verdict.UNKNOWN, f"Its answer could not be read: {found.error.cause}")
    answer = found.by_cluster.get(cluster)
    placed = [
        one
        for one in (place_images([answer], (registry,)) if answer else ())
        if one.registry and one.named and one.named.repository == repository
    ]
    digests = frozenset({row.digest, *(child.digest for child in manifest.children if not child.attests)})
    return check_stage(names[cluster], namespace, answer, placed, digests, now)


def _plan_and_promote(
    who: str,
    source: Source,
    target: Registry,
    repository: str,
    tags: Sequence[str],
    checks: Sequence[Check],
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
    shown = _with_checks(plan, checks, lock=lock)
    to_do = plan.todo or plan.referrers_todo or (lock and tags)
    if confirm(
        shown,
        "Promote image",
        ready=bool(to_do) and moved,
        icon=":material/upgrade:",
        effect=(effect_of(plan), tuple(checks), lock),
    ):
        begin_and_show(
            who,
            replace(PROMOTE, run=partial(run_promotion, plans=[plan])),
            target.login_server,
            promotion_items(plan, lock=lock),
            promotion_details(plan, checks, unchecked, lock=lock),
            repository=repository,
        )


def _with_checks(plan: CopyPlan, checks: Sequence[Check], *, lock: bool) -> PlainPlan:
    unread = () if plan.content else ("The source could not be read: what is promoted would not be known.",)
    return PlainPlan(
        (*objections(checks), *unread, *plan.blockers),
        plan.warnings,
        (*plan.commands, *(lock_commands(plan) if lock else ())),
    )
