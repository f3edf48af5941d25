"""The checks of a promotion: which are chosen, and how they end for one image."""

from dataclasses import dataclass
from datetime import datetime

import streamlit as st

from services.connection.errors import ServiceError
from services.images.manifests import Kind, Manifest
from services.images.repositories import ManifestRow
from services.promotion.checks import (
    SBOM,
    SIGNATURE,
    Check,
    Verdict,
    check_age,
    check_sbom,
    check_signature,
    check_stage,
)
from services.registries.registry import Registry
from services.running.join import place_images
from ui.loaders import clusters
from ui.loaders import images as image_loaders
from ui.loaders import running as running_loader

AGE, STAGE = "Not older than", "Runs in stage"
_LONGEST_AGE = 3650


@dataclass(frozen=True)
class Stage:
    """The cluster that is stage, by its resource id in lower case, '' where none was chosen yet."""

    cluster: str
    name: str
    namespace: str


@dataclass(frozen=True)
class ChosenChecks:
    """Which checks are made: `days` is the age that an image has at most, None where that is not asked."""

    signature: bool
    sbom: bool
    days: int | None
    stage: Stage | None

    @property
    def unchecked(self) -> tuple[str, ...]:
        """The names of those that are not made."""
        chosen = (
            (SIGNATURE, self.signature),
            (SBOM, self.sbom),
            (AGE, self.days is not None),
            (STAGE, self.stage is not None),
        )
        return tuple(name for name, is_chosen in chosen if not is_chosen)


def choose_checks(who: str) -> ChosenChecks:
    """Asks which checks are made."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        signature = st.checkbox(
            SIGNATURE, True, help="A signature is there. This console does not verify it.", key="check signature"
        )
        sbom = st.checkbox(SBOM, True, help="A software bill of materials is there", key="check sbom")
        age = st.checkbox(AGE, key="check age", help="By the day that the registry got it")
        stage = st.checkbox(STAGE, key="check stage", help="In a cluster that was asked what it runs within a day")
    days = int(st.number_input("Days", 1, _LONGEST_AGE, 30, key="check days", width=160)) if age else None
    return ChosenChecks(signature, sbom, days, _choose_stage(who) if stage else None)


def _choose_stage(who: str) -> Stage:
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
    return Stage(cluster or "", names.get(cluster or "", ""), namespace)


def run_checks(
    who: str,
    registry: Registry,
    repository: str,
    row: ManifestRow,
    manifest: Manifest,
    chosen: ChosenChecks,
    now: datetime,
) -> tuple[Check, ...]:
    """The chosen checks of one image. What refers to it is read anew: what was there when a page was opened may have
    gone since."""
    found: list[Check] = []
    if chosen.signature or chosen.sbom:
        found += _check_evidence(who, registry.login_server, repository, row.digest, manifest, chosen)
    if chosen.days is not None:
        found.append(check_age(row.created, chosen.days, now))
    if chosen.stage:
        found.append(_check_stage(who, registry, repository, row, manifest, chosen.stage, now))
    return tuple(found)


def _check_evidence(
    who: str, server: str, repository: str, digest: str, manifest: Manifest, chosen: ChosenChecks
) -> list[Check]:
    for one in (image_loaders.referrers, image_loaders.evidence):
        one.clear(who, server, repository, digest)
    evidence = image_loaders.evidence(who, server, repository, digest).value
    found = [check_signature(evidence, digest)] if chosen.signature else []
    if not chosen.sbom:
        return found
    platforms: dict[str, str] = {}
    if manifest.kind is Kind.INDEX:
        try:
            read = image_loaders.platforms(who, server, repository, digest)
        except ServiceError as error:
            return [*found, Check(SBOM, Verdict.UNKNOWN, f"The platforms could not be read: {error.cause}")]
        platforms = {name: child.digest for name, child in read.items()}
    return [*found, check_sbom(evidence, digest, platforms)]


def _check_stage(
    who: str, registry: Registry, repository: str, row: ManifestRow, manifest: Manifest, stage: Stage, now: datetime
) -> Check:
    if not stage.cluster:
        return Check(STAGE, Verdict.UNKNOWN, "Choose the cluster.")
    found = running_loader.find_answers(who)
    if found.error:
        return Check(f"Runs in {stage.name}", Verdict.UNKNOWN, f"Its answer could not be read: {found.error.cause}")
    answer = found.by_cluster.get(stage.cluster)
    placed = place_images([answer], (registry,)) if answer else ()
    digests = frozenset({row.digest, *(child.digest for child in manifest.children if not child.attests)})
    here = (registry.login_server, repository)
    return check_stage(stage.name, stage.namespace, answer, placed, digests, now, here)
