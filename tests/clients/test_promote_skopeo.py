"""The console promotes an image, skopeo reads it on both sides: byte-equal, and so is all that refers to it."""

import hashlib
import shutil
from pathlib import Path

import pytest

from services.database.engine import open_database
from services.jobs.jobs import begin
from services.promotion.checks import Check, Verdict
from services.promotion.jobs import ACTION, CheckedCopy, promotion_details, promotion_items, run_promotion
from services.transfer.copy_plan import Source, read_copy_plan
from tests.clients.test_push_skopeo import SKOPEO, raw
from tests.support.killed_jobs import LEASE, WHO, no_report, ran
from tests.support.own_sandbox import APP, OwnSandbox

pytestmark = pytest.mark.client
PROD = "contosoprod01"
CHECKS = (Check("Signature", Verdict.NOT_VERIFIED, "A signature was found (Notation)."),)


@pytest.fixture
def options(own: OwnSandbox, tmp_path: Path) -> list[str]:
    if SKOPEO is None:
        pytest.skip("skopeo is not installed")
    ready = own.sandbox.ready
    certificates = tmp_path / "certificates"
    certificates.mkdir()
    shutil.copy(ready["ca_file"], certificates / "ca.crt")
    return [f"cert-dir={certificates}", f"creds={ready['client_id']}:{ready['client_secret']}"]


def test_what_is_promoted_is_byte_equal_with_all_that_refers_to_it(
    own: OwnSandbox, options: list[str], tmp_path: Path
) -> None:
    source, target = own.registry(), own.make_registry(PROD)
    images = {"v1": own.push_index("v1"), "v2": own.push("v2", number=7)[0]}
    referrers = {own.attach(digest) for digest in images.values()}
    signed = own.attach(images["v1"], tag=images["v1"].replace(":", "-") + ".sig")
    plans = [
        read_copy_plan(own.session(), Source(source.login_server, APP, digest, source), target, [("shop/app", tag)])
        for tag, digest in images.items()
    ]
    database = open_database(f"sqlite:///{tmp_path / 'console.db'}")
    items = promotion_items(plans, lock=True)
    details = promotion_details([CheckedCopy(plan, CHECKS) for plan in plans], [], lock=True)
    job = begin(database, WHO, ACTION, target.login_server, "shop/app", items, details, LEASE)
    job = ran(
        database,
        own.session(),
        job,
        lambda session, one, running: run_promotion(session, one, running, no_report, plans=plans),
    )
    database.dispose()
    assert job.state == "Completed"
    for tag, digest in images.items():
        assert raw(f"docker://{target.login_server}/shop/app:{tag}", options) == raw(
            f"docker://{source.login_server}/{APP}@{digest}", options
        )
    for digest in {*images.values(), *referrers, signed}:
        there = raw(f"docker://{target.login_server}/shop/app@{digest}", options)
        assert there == raw(f"docker://{source.login_server}/{APP}@{digest}", options)
        assert f"sha256:{hashlib.sha256(there).hexdigest()}" == digest
