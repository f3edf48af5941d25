"""Promoting an image on its page: the checks that are chosen, the plan, the lock, and the record with its files."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from services.aks.clusters import Cluster
from services.running.images import ClusterImages, RunningImage
from tests.pages.test_compare import add_image, add_sbom, spdx
from tests.support.app_test import (
    REFUSED,
    Open,
    actions,
    boxes,
    confirm_button,
    open_dialog,
    reopen,
    texts,
    wait_for_job,
)
from tests.support.own_sandbox import APP, REGISTRY, OwnSandbox
from ui.elements import write_permission
from ui.loaders import clusters as cluster_loaders
from ui.loaders import running as running_loader
from ui.runtime import connection

IMAGE = {"registry": REGISTRY, "repository": APP, "reference": "v1"}
PROD, PROMOTE = "contosoprod01", "Promote image"


@pytest.fixture
def signed(own: OwnSandbox) -> str:
    """An image with a signature and an SBOM, and a registry to promote it to: its digest."""
    digest = add_image(own, "v1", [])
    own.attach(digest, "application/vnd.cncf.notary.signature")
    add_sbom(own, digest, spdx(a="1"))
    own.make_registry(PROD)
    return digest


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the record offers as files, by their labels, once it is shown."""
    from ui.jobs import promotion

    found: dict[str, Any] = {}
    monkeypatch.setattr(
        promotion.st, "download_button", lambda label, content, *_args, **_more: found.setdefault(label, content)
    )
    return found


def said(at: AppTest) -> str:
    return "\n".join([texts(at), *(one.value for one in at.warning)]).replace("\\", "").replace("\u2060", "")


def choose(at: AppTest, label: str, option: str) -> None:
    box = next(one for one in boxes(at) if one.label == label)
    box.select_index([*box.options].index(option))


def opened(open_view: Open) -> AppTest:
    """The dialog with the other registry as its target."""
    at = open_view("image.py", **IMAGE)
    open_dialog(at, PROMOTE)
    reopen(at, PROMOTE)
    choose(at, "Target registry", PROD)
    at.run()
    assert not at.exception
    return at


def tick(at: AppTest, label: str, *, on: bool = True) -> None:
    reopen(at, PROMOTE)
    box = next(one for one in at.checkbox if one.label == label)
    (box.check() if on else box.uncheck()).run()
    assert not at.exception


def promoted(at: AppTest) -> AppTest:
    reopen(at, PROMOTE)
    confirm_button(at, PROMOTE).click().run()
    wait_for_job(at, PROMOTE)
    return at.run()


def test_an_image_is_promoted_checked_locked_and_recorded(open_view: Open, own: OwnSandbox, signed: str) -> None:
    at = opened(open_view)
    shown = said(at).replace("**", "")
    assert ":gray[:material/draw:] Signature found, not verified: A signature was found (Notation)." in shown
    assert ":green[:material/check_circle:] SBOM passed: An SBOM is there (SPDX)." in shown
    tick(at, "Lock the tag in the target")
    assert f"--name {PROD} --image {APP}:v1 --delete-enabled false --write-enabled false" in " ".join(said(at).split())
    at = promoted(at)
    assert own.tags(APP, PROD) == {"v1": signed}
    (tag,) = own.sandbox.store.list_tags(PROD, APP)
    assert (tag.locks.delete, tag.locks.write) == (False, False)
    (job,) = at.session_state[f"jobs: {PROMOTE}"]
    at = open_view("deletions.py", record=job)
    assert not at.exception
    shown = said(at)
    assert "Checks before" in shown
    assert ":gray[:material/draw:] **Signature** found, not verified: A signature was found (Notation)." in shown
    assert "Not checked: Not older than, Runs in stage" in shown
    assert [one.proto.label for one in at.get("download_button")] == ["Download as HTML", "Download as JSON"]


def test_a_check_that_fails_keeps_it(open_view: Open, own: OwnSandbox) -> None:
    add_image(own, "v1", [])
    own.make_registry(PROD)
    at = opened(open_view)
    assert confirm_button(at, PROMOTE).disabled
    assert "No signature refers to it." in said(at)
    tick(at, "Signature", on=False)
    assert confirm_button(at, PROMOTE).disabled
    tick(at, "SBOM", on=False)
    assert not confirm_button(at, PROMOTE).disabled


@pytest.mark.usefixtures("signed")
def test_referrers_that_can_not_be_read_do_not_pass(open_view: Open, own: OwnSandbox) -> None:
    at = open_view("image.py", **IMAGE)
    own.break_({"path": "/v2/team/app/referrers/.*", "status": 403})
    open_dialog(at, PROMOTE)
    assert "What refers to it could not be read" in said(at)
    reopen(at, PROMOTE)
    choose(at, "Target registry", PROD)
    at.run()
    assert confirm_button(at, PROMOTE).disabled
    assert "**Signature** unknown: What refers to it could not be read" in said(at)


def test_referrers_that_nobody_asked_for_and_none_could_read_are_unknown_in_the_plan_and_the_record(
    open_view: Open, own: OwnSandbox, signed: str, files: dict[str, Any]
) -> None:
    at = open_view("image.py", **IMAGE)
    own.break_({"path": "/v2/team/app/referrers/.*", "status": 403})
    open_dialog(at, PROMOTE)
    reopen(at, PROMOTE)
    choose(at, "Target registry", PROD)
    at.run()
    tick(at, "Signature", on=False)
    tick(at, "SBOM", on=False)
    assert "Unknown whether a signature, SBOM or attestation refers to it" in said(at)
    at = promoted(at)
    assert own.tags(APP, PROD) == {"v1": signed}
    (job,) = at.session_state[f"jobs: {PROMOTE}"]
    at = open_view("deletions.py", record=job)
    assert "unknown signatures, SBOMs and attestations: what refers to it could not be read" in said(at)
    (promotion,) = json.loads(files["Download as JSON"])["promotions"]
    assert promotion["referrers_unknown"]
    assert promotion["checks"] == []
    assert "Unknown whether there are more" in files["Download as HTML"]


@pytest.mark.usefixtures("signed")
def test_a_signature_that_has_gone_since_the_page_was_opened_is_not_there(open_view: Open, own: OwnSandbox) -> None:
    at = opened(open_view)
    assert not confirm_button(at, PROMOTE).disabled
    for row in own.sandbox.store.list_manifests(REGISTRY, APP):
        if row.artifact_type == "application/vnd.cncf.notary.signature":
            own.sandbox.store.delete_manifest(REGISTRY, APP, row.digest, own.sandbox.state.stamp())
    reopen(at, PROMOTE)
    confirm_button(at, PROMOTE).click().run()
    assert not own.tags(APP, PROD)
    assert "No signature refers to it." in said(at)


@pytest.mark.usefixtures("signed")
def test_the_age_is_asked(open_view: Open) -> None:
    at = opened(open_view)
    tick(at, "Not older than")
    assert "Not older than 30 days" in said(at)
    assert "Pushed " in said(at)


def answer(cluster: Cluster, digest: str, at: datetime) -> ClusterImages:
    server = connection.session(connection.who()).endpoints  # noqa: F841 The session is there.
    image = RunningImage("shop", "Deployment", "web", f"{login_server()}/{APP}:v1", digest, 2)
    return ClusterImages(cluster, at, (image,))


def login_server() -> str:
    from ui.loaders import registries

    found = registries.inventory(connection.who()).value.registries.values
    return next(one.login_server for one in found if one.name == REGISTRY)


@pytest.mark.parametrize(
    ("hours", "same", "words"),
    [
        (1, True, "Deployment shop/web, as of"),
        (1, False, "It did not run there"),
        (30, True, "ask it again"),
        (None, True, "was not asked what it runs"),
    ],
)
def test_what_runs_in_stage(open_view: Open, signed: str, hours: int | None, same: bool, words: str) -> None:
    at = opened(open_view)
    who = connection.who()
    reading = cluster_loaders.pulls(who)
    assert reading.finished.wait(30)
    (cluster,) = reading.value.clusters.values
    if hours is not None:
        other = f"sha256:{'0' * 64}"
        running_loader.keep(who, answer(cluster, signed if same else other, datetime.now(UTC) - timedelta(hours=hours)))
    tick(at, "Runs in stage")
    assert confirm_button(at, PROMOTE).disabled
    reopen(at, PROMOTE)
    choose(at, "Cluster of stage", cluster.name)
    at.run()
    assert words in said(at)
    assert confirm_button(at, PROMOTE).disabled is not (words.startswith("Deployment"))


def test_where_nothing_may_be_changed_nothing_is_promoted(
    open_view: Open, own: OwnSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    own.push("v1")
    monkeypatch.setattr(write_permission, "current", lambda: REFUSED)
    assert PROMOTE not in actions(open_view("image.py", **IMAGE))


def test_the_record_as_a_file(open_view: Open, own: OwnSandbox, signed: str, files: dict[str, Any]) -> None:
    at = promoted(opened(open_view))
    (job,) = at.session_state[f"jobs: {PROMOTE}"]
    open_view("deletions.py", record=job)
    record = json.loads(files["Download as JSON"])
    assert record["state"] == "Completed"
    (promotion,) = record["promotions"]
    assert promotion["digest"] == signed
    assert [one["result"] for one in promotion["checks"]] == ["Found, not verified", "Passed"]
    assert record["requests"]
    assert all(one["request_id"] for one in record["requests"])
    assert signed in files["Download as HTML"]
    assert own.tags(APP, PROD) == {"v1": signed}
