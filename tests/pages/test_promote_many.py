"""Several images of a repository are promoted at once: each with its checks, one job, one record."""

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from sandbox.storage.store import Locks
from tests.pages.test_compare import add_image, add_sbom, spdx
from tests.pages.test_promote import PROD, choose, said
from tests.support.app_test import Open, button, confirm_button, select_rows, wait_for_job
from tests.support.documents import OCI_CONFIG, OCI_MANIFEST, digest_of
from tests.support.own_sandbox import APP, REGISTRY, OwnSandbox
from ui.transfer import promote_many

REPOSITORY = {"registry": REGISTRY, "repository": APP}
OPENER, JOB = "Promote images", "Promote image"


@pytest.fixture
def images(own: OwnSandbox) -> dict[str, str]:
    """Three images, of which the third has no signature: tag → digest."""
    found = {tag: add_image(own, tag, [(number, 7)]) for number, tag in enumerate(("v1", "v2", "v3"), 1)}
    for tag, digest in found.items():
        add_sbom(own, digest, spdx(a=tag))
        if tag != "v3":
            own.attach(digest, "application/vnd.cncf.notary.signature")
    own.make_registry(PROD)
    return found


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the record offers as files, by their labels, once it is shown."""
    from ui.jobs import promotion

    found: dict[str, Any] = {}
    monkeypatch.setattr(
        promotion.st, "download_button", lambda label, content, *_args, **_more: found.setdefault(label, content)
    )
    return found


def select_all(at: AppTest) -> None:
    select_rows(at, 0, *range(len(at.dataframe[0].value)))


def again(at: AppTest) -> None:
    """Chooses all tags and presses what opens the dialog, for the next run: AppTest forgets both with each."""
    select_all(at)
    button(at, OPENER).click()


def opened(open_view: Open) -> AppTest:
    at = open_view("repository.py", **REPOSITORY)
    select_all(at)
    at.run()
    again(at)
    at.run()
    assert "Choose a target registry to see the plan." in said(at)
    again(at)
    choose(at, "Target registry", PROD)
    at.run()
    assert not at.exception
    return at


def tick(at: AppTest, label: str, *, on: bool = True) -> None:
    again(at)
    box = next(one for one in at.checkbox if one.label == label)
    (box.check() if on else box.uncheck()).run()
    assert not at.exception


def test_each_image_is_checked_promoted_locked_and_recorded(
    open_view: Open, own: OwnSandbox, images: dict[str, str], files: dict[str, Any]
) -> None:
    at = opened(open_view)
    assert "v3 is not promoted: Signature: No signature refers to it." in said(at)
    tick(at, "Lock the tags in the target")
    again(at)
    confirm_button(at, "Promote 2 images").click().run()
    wait_for_job(at, JOB)
    at.run()
    assert own.tags(APP, PROD) == {tag: images[tag] for tag in ("v1", "v2")}
    locked = own.sandbox.store.list_tags(PROD, APP)
    assert {(one.locks.delete, one.locks.write) for one in locked} == {(False, False)}
    (job,) = at.session_state[f"jobs: {JOB}"]
    at = open_view("deletions.py", record=job)
    assert not at.exception
    assert "v3**: Signature: No signature refers to it." in said(at)
    record = json.loads(files["Download as JSON"])
    assert record["state"] == "Completed"
    assert {one["digest"] for one in record["promotions"]} == {images["v1"], images["v2"]}
    for one in record["promotions"]:
        assert [check["result"] for check in one["checks"]] == ["Found, not verified", "Passed"]
        assert {item["result"] for item in one["items"]} == {"created", "changed"}
        assert len(one["items"]) == 4  # The tag, what refers to it, and the lock.
    assert [one["image"] for one in record["not_promoted"]] == ["v3"]
    assert images["v1"] in files["Download as HTML"]
    assert images["v2"] in files["Download as HTML"]


@pytest.mark.usefixtures("images")
def test_a_signature_that_has_gone_since_the_plan_was_shown_is_not_there(
    open_view: Open, own: OwnSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = opened(open_view)
    # In a browser the dialog stays open, and with it what it has read.
    monkeypatch.setattr(promote_many, "promote_images", promote_many._ask_and_promote)
    again(at)
    at.run()
    assert not confirm_button(at, "Promote 2 images").disabled
    for row in own.sandbox.store.list_manifests(REGISTRY, APP):
        if row.artifact_type == "application/vnd.cncf.notary.signature":
            own.sandbox.store.delete_manifest(REGISTRY, APP, row.digest, own.sandbox.state.stamp())
    again(at)
    confirm_button(at, "Promote 2 images").click().run()
    assert not own.tags(APP, PROD)
    assert "v1 is not promoted: Signature: No signature refers to it." in said(at)


def test_without_any_that_passes_nothing_is_promoted(open_view: Open, own: OwnSandbox) -> None:
    add_image(own, "v1", [])
    add_image(own, "v2", [(1, 7)])
    own.make_registry(PROD)
    at = opened(open_view)
    assert confirm_button(at, OPENER).disabled
    tick(at, "Signature", on=False)
    tick(at, "SBOM", on=False)
    assert not confirm_button(at, "Promote 2 images").disabled


def test_a_tag_that_is_locked_in_the_target_stays_and_says_so(
    open_view: Open, own: OwnSandbox, images: dict[str, str]
) -> None:
    store, stamp = own.sandbox.store, own.sandbox.state.stamp()
    config = {"mediaType": OCI_CONFIG, "digest": digest_of(7), "size": 2}
    raw = json.dumps({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": []}).encode()
    there = store.add_manifest(PROD, APP, raw, OCI_MANIFEST, stamp)
    store.add_tag(PROD, APP, "v1", there, stamp)
    store.set_tag_locks(PROD, APP, "v1", Locks(write=False), stamp)
    at = opened(open_view)
    assert f"v1 is not promoted: The tag v1 is locked against writing: it stays at {there}" in said(at)
    again(at)
    confirm_button(at, "Promote 1 image").click().run()
    wait_for_job(at, JOB)
    assert own.tags(APP, PROD) == {"v1": there, "v2": images["v2"]}
