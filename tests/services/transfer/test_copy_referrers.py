"""A copy keeps what refers to its image: signatures, SBOMs and attestations, to any depth, or says what it does not."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.images.image_graph import ImageContent
from services.images.manifest_reading import read_referrers
from services.registries.registry import Mode, Registry
from services.transfer.copy_plan import CopyPlan, Source, parse_source, read_copy_plan
from services.transfer.copy_referrers import MOST_REFERRERS, Referrer, plan_referrer
from services.transfer.copy_run import Copied, apply_copy
from tests.services.access.test_evaluation import the_registry
from tests.support.documents import digest_of
from tests.support.own_sandbox import APP, REGISTRY, OwnSandbox

OTHER = "contosotarget"
SIGNATURE, SBOM = "application/vnd.example.signature", "application/spdx+json"


def planned(own: OwnSandbox, target: Registry, *tags: tuple[str, str], untagged: str = "") -> CopyPlan:
    source = own.registry()
    return read_copy_plan(
        own.session(), Source(source.login_server, APP, "v1", source), target, tags, [untagged] if untagged else []
    )


def results(copied: Copied) -> dict[str, str]:
    return {result.item.referrer.digest: result.outcome for result in copied.referrers.values}


def manifests(own: OwnSandbox, repository: str, registry: str = OTHER) -> set[str]:
    return {manifest.digest for manifest in own.sandbox.store.list_manifests(registry, repository)}


def signed_index(own: OwnSandbox) -> tuple[str, dict[str, str]]:
    """An index at v1, and what refers to it: digests by name."""
    index = own.push_index("v1")
    child, _ = own.push(number=1)
    signature = own.attach(index)
    return index, {
        "signature": signature,
        "SBOM of a platform": own.attach(child, SBOM),
        "signature of the signature": own.attach(signature),
        "cosign": own.attach(index, tag=index.replace(":", "-") + ".sig"),
    }


def test_referrers_of_an_index_and_of_its_platforms_are_copied_to_any_depth(own: OwnSandbox) -> None:
    index, attached = signed_index(own)
    target = own.make_registry(OTHER)
    plan = planned(own, target, ("team/copy", "v1"))
    assert {item.referrer.digest for item in plan.referrers_todo} == set(attached.values())
    assert plan.warnings == ()
    copied = apply_copy(own.session(), plan)
    assert copied.referrers.complete
    assert results(copied) == dict.fromkeys(attached.values(), "created")
    client = own.session().registry(target.login_server)
    assert [entry.digest for entry in read_referrers(client, "team/copy", index)] == [attached["signature"]]
    (nested,) = read_referrers(client, "team/copy", attached["signature"])
    assert nested.digest == attached["signature of the signature"]
    assert set(attached.values()) <= manifests(own, "team/copy")
    # Only what had a tag has one.
    cosign_tag = index.replace(":", "-") + ".sig"
    assert own.tags("team/copy", OTHER) == {"v1": index, cosign_tag: attached["cosign"]}
    assert len(plan.commands) == 1 + len(attached)


def test_azure_itself_leaves_referrers_behind(own: OwnSandbox) -> None:
    _, attached = signed_index(own)
    plan = planned(own, own.make_registry(OTHER), ("team/copy", "v1"))
    apply_copy(own.session(), CopyPlan(plan.source, plan.target, plan.items, plan.content))
    assert not set(attached.values()) & manifests(own, "team/copy")


def test_a_copy_made_before_gets_its_signatures_later_and_once(own: OwnSandbox) -> None:
    own.push("v1")
    target = own.make_registry(OTHER)
    apply_copy(own.session(), planned(own, target, ("team/copy", "v1")))
    signature = own.attach(own.tags()["v1"])
    later = planned(own, target, ("team/copy", "v1"))
    assert (later.todo, len(later.referrers_todo)) == ((), 1)
    copied = apply_copy(own.session(), later)
    assert results(copied) == {signature: "created"}
    again = planned(own, target, ("team/copy", "v1"))
    assert ([item.there for item in again.referrers], again.referrers_todo, again.commands) == ([True], (), ())


def test_an_untagged_copy_and_each_repository_gets_them(own: OwnSandbox) -> None:
    own.push("v1")
    signature = own.attach(own.tags()["v1"])
    target = own.make_registry(OTHER)
    apply_copy(own.session(), planned(own, target, ("team/copy", "v1"), untagged="team/bare"))
    assert signature in manifests(own, "team/copy") & manifests(own, "team/bare")


def test_one_that_fails_is_refused_by_itself(own: OwnSandbox) -> None:
    index, attached = signed_index(own)
    plan = planned(own, own.make_registry(OTHER), ("team/copy", "v1"))
    own.sandbox.store.delete_manifest(REGISTRY, APP, attached["SBOM of a platform"], own.sandbox.state.stamp())
    copied = apply_copy(own.session(), plan)
    assert copied.results.complete and own.tags("team/copy", OTHER)["v1"] == index
    (refusal,) = copied.referrers.refused
    assert attached["SBOM of a platform"] in refusal.what
    assert len(copied.referrers.values) == len(attached) - 1


@pytest.mark.parametrize("status", [403, 429, 500])
def test_where_referrers_can_not_be_read_it_is_not_known_and_never_none(own: OwnSandbox, status: int) -> None:
    own.push("v1")
    own.break_({"path": "/referrers/", "status": status})
    plan = planned(own, own.make_registry(OTHER), ("team/copy", "v1"))
    assert plan.warnings[0].startswith("Not known whether more signatures, SBOMs or attestations refer to it: ")
    assert plan.blockers == ()


def test_of_a_registry_that_is_not_read_it_is_not_known(own: OwnSandbox) -> None:
    plan = read_copy_plan(own.session(), parse_source("nginx:1.29"), own.registry(), [("team/copy", "v1")])
    assert any(text.startswith("Not known whether signatures, SBOMs or attestations refer") for text in plan.warnings)
    assert not isinstance(plan.content, ImageContent)


def test_more_than_are_read_is_said(own: OwnSandbox) -> None:
    digest, _ = own.push("v1")
    for number in range(MOST_REFERRERS + 1):
        own.attach(digest, f"application/vnd.example.{number}")
    plan = planned(own, own.make_registry(OTHER), ("team/copy", "v1"))
    assert any("The console reads up to 100." in text for text in plan.warnings)


def test_what_stays_behind_is_said_with_the_reason(own: OwnSandbox) -> None:
    digest, _ = own.push("v1")
    signature = own.attach(digest)
    target = own.make_registry(OTHER, encryption={"status": "enabled"})
    plan = planned(own, target, ("team/copy", "v1"))
    assert plan.referrers_todo == ()
    assert f"Stays behind: {SIGNATURE} {signature}. contosotarget has a customer-managed key" in plan.warnings[0]


def test_a_signature_that_the_target_has_under_that_tag_is_not_overwritten(own: OwnSandbox) -> None:
    digest, _ = own.push("v1")
    tag = digest.replace(":", "-") + ".sig"
    own.attach(digest, tag=tag)
    other, _ = own.push(number=7, repository="team/copy")
    own.move(tag, other, "team/copy")
    plan = planned(own, own.registry(), ("team/copy", "v1"))
    assert plan.referrers_todo == ()
    assert "at another digest" in plan.warnings[0]
    apply_copy(own.session(), plan)
    assert own.tags("team/copy")[tag] == other


@given(st.sampled_from(Mode), st.booleans(), st.booleans(), st.sampled_from([None, digest_of(1), digest_of(2)]))
def test_each_referrer_is_imported_or_there_or_left_with_a_reason(
    mode: Mode, key: bool, tagged: bool, current: str | None
) -> None:
    registry = the_registry(mode)
    target = replace(registry, access=replace(registry.access, customer_key=key))
    referrer = Referrer(digest_of(1), digest_of(3), SIGNATURE, "sha256-x.sig" if tagged else "")
    item = plan_referrer(referrer, APP, target, current)
    assert item.there is (current == digest_of(1))
    assert bool(item.left) is (current == digest_of(2) or (key and not tagged))
