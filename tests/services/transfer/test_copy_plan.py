"""What a copy would do is said before, Azure does just that, and what is reported is what was read back."""

import json
import logging
from dataclasses import replace
from threading import Event
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.documents.registry_rules import REGISTRY_TYPE
from sandbox.storage.store import Locks as StoredLocks
from services.connection.errors import ServiceError
from services.images.repositories import Locks, get_manifest_row
from services.registries.registry import Registry
from services.transfer.copy_plan import CopyItem, CopyPlan, Source, parse_source, plan_copy, plan_item, read_copy_plan
from services.transfer.copy_run import Copied, apply_copy
from tests.services.images.test_tagging import a_repository, a_tag
from tests.support import documents
from tests.support.own_sandbox import APP, REGISTRY, OwnSandbox
from tests.support.shell_lines import registry as a_registry
from tests.support.strategies import tag_names

OTHER = "contosotarget"
ABSENT = "registry.contoso.example"


def source_of(own: OwnSandbox, reference: str = "v1", repository: str = APP) -> Source:
    registry = own.registry()
    return Source(registry.login_server, repository, reference, registry)


def planned(own: OwnSandbox, *names: str, source: Source | None = None, target: Registry | None = None) -> CopyPlan:
    """A plan for targets such as team/other:v1; without a tag the manifest alone."""
    tags = [(name.partition(":")[0], name.partition(":")[2]) for name in names if ":" in name]
    untagged = [name for name in names if ":" not in name]
    return read_copy_plan(own.session(), source or source_of(own), target or own.registry(), tags, untagged)


def outcomes(copied: Copied) -> dict[str, str]:
    return {
        result.item.name: result.outcome if result.compared else f"{result.outcome}, not compared"
        for result in copied.results.values
    }


def imports(own: OwnSandbox) -> list[int]:
    """The status of each import that was asked for."""
    return [request.status for request in own.sandbox.requests if request.path.endswith("/importImage")]


# What is decided, without a registry


@pytest.mark.parametrize(
    ("repository", "tag", "words", "there"),
    [
        (None, None, "", False),
        (a_repository(), None, "", False),
        (a_repository(), a_tag(), "", False),
        (a_repository(), a_tag(digest=documents.digest_of(2)), "", True),
        (a_repository(write=False), None, "repository team/app is locked against writing", False),
        (a_repository(write=False), a_tag(digest=documents.digest_of(2)), "", True),
        (a_repository(), a_tag(write=False), "tag v1 is locked against writing", False),
        (a_repository(delete=False, list=False), a_tag(delete=False, read=False), "", False),
    ],
)
def test_what_keeps_a_copy_from_a_tag(repository: Any, tag: Any, words: str, there: bool) -> None:
    item = plan_item(APP, "v1", documents.digest_of(2), repository, tag)
    assert words in item.blocker
    assert (bool(item.blocker), item.there) == (bool(words), there)
    assert item.current_digest == (tag.digest if tag else None)


@given(st.booleans(), st.booleans(), st.sampled_from(["", documents.digest_of(1), documents.digest_of(2)]))
def test_without_a_known_digest_nothing_is_there_already(repository_open: bool, tag_open: bool, digest: str) -> None:
    item = plan_item(APP, "v1", digest, a_repository(write=repository_open), a_tag(write=tag_open))
    assert item.there == (digest == documents.digest_of(1))
    assert bool(item.blocker) == (not item.there and not (repository_open and tag_open))


@pytest.mark.parametrize(
    ("text", "server", "repository", "reference"),
    [
        ("nginx", "docker.io", "library/nginx", "latest"),
        ("nginx:1.29", "docker.io", "library/nginx", "1.29"),
        ("docker.io/nginx:1.29", "docker.io", "library/nginx", "1.29"),
        ("index.docker.io/library/nginx", "docker.io", "library/nginx", "latest"),
        ("bitnami/redis:8", "docker.io", "bitnami/redis", "8"),
        ("mcr.microsoft.com/dotnet/runtime:10.0", "mcr.microsoft.com", "dotnet/runtime", "10.0"),
        ("localhost:5000/team/app", "localhost:5000", "team/app", "latest"),
        ("localhost/app", "localhost", "app", "latest"),
        (f"ghcr.io/o/app@{documents.digest_of(1)}", "ghcr.io", "o/app", documents.digest_of(1)),
        (f"ghcr.io/o/app:v1@{documents.digest_of(1)}", "ghcr.io", "o/app", documents.digest_of(1)),
        ("  ghcr.io/o/app:v1 ", "ghcr.io", "o/app", "v1"),
    ],
)
def test_a_source_is_read_as_docker_reads_it(text: str, server: str, repository: str, reference: str) -> None:
    source = parse_source(text)
    assert (source.server, source.repository, source.reference) == (server, repository, reference)
    assert source.registry is None


@pytest.mark.parametrize(
    "text", ["", "/", "a b", "nginx:", "UPPER", "ghcr.io/", "http://ghcr.io/app", "ghcr.io/../app", "app:v/1", "x@y"]
)
def test_what_is_no_source(text: str) -> None:
    if text == "nginx:":  # docker reads it as nothing; the tag that is left out is latest.
        assert parse_source(text).reference == "latest"
        return
    with pytest.raises(ServiceError) as raised:
        parse_source(text)
    assert raised.value.code.startswith("Invalid")


@given(tag_names)
def test_every_tag_can_be_a_source(tag: str) -> None:
    assert parse_source(f"mcr.microsoft.com/app:{tag}").image == f"app:{tag}"


def test_a_password_is_in_no_representation() -> None:
    source = parse_source("ghcr.io/o/app:v1", "robot", "hunter2")
    assert "hunter2" not in repr(source) + str(source)


# Against the sandbox


def test_an_index_is_copied_whole_to_another_repository(own: OwnSandbox) -> None:
    digest = own.push_index("v1")
    plan = planned(own, "team/copy:v1", "team/copy:stable")
    assert (plan.digest, plan.blockers, plan.warnings, plan.moves) == (digest, (), (), ())
    assert plan.content and len(plan.content.manifests) == 3
    states: list[str] = []
    copied = apply_copy(own.session(), plan, progress=lambda state, _seconds: states.append(state))
    assert copied.finished
    assert outcomes(copied) == {"team/copy:v1": "created", "team/copy:stable": "created"}
    assert own.tags("team/copy") == {"v1": digest, "stable": digest}
    for stored in plan.content.manifests:
        body = own.sandbox.store.get_manifest_body(REGISTRY, "team/copy", stored.manifest.digest)
        assert body == stored.raw == own.sandbox.store.get_manifest_body(REGISTRY, APP, stored.manifest.digest)
    assert set(states) == {"InProgress"}


def test_an_image_goes_to_another_registry_without_a_tag(own: OwnSandbox) -> None:
    digest, raw = own.push("v1")
    target = own.make_registry(OTHER)
    copied = apply_copy(own.session(), planned(own, "team/app", target=target))
    assert outcomes(copied) == {"team/app": "created"}
    assert own.tags(registry=OTHER) == {}
    assert own.sandbox.store.get_manifest_body(OTHER, APP, digest) == raw


def test_a_tag_at_the_same_digest_is_nothing_to_do(own: OwnSandbox) -> None:
    own.push("v1", "v2")
    plan = planned(own, f"{APP}:v2")
    assert (plan.items[0].there, plan.todo) == (True, ())
    assert outcomes(apply_copy(own.session(), plan)) == {f"{APP}:v2": "already done"}
    assert imports(own) == []


def test_a_tag_that_exists_moves_only_when_that_is_asked_for(own: OwnSandbox) -> None:
    old, _ = own.push("v1", number=1, repository="team/copy")
    new, _ = own.push("v1", number=2)
    plan = planned(own, "team/copy:v1")
    assert [item.current_digest for item in plan.moves] == [old]
    with pytest.raises(ServiceError) as raised:
        apply_copy(own.session(), plan)
    assert raised.value.code == "Refused"
    assert (imports(own), own.tags("team/copy")) == ([], {"v1": old})
    assert outcomes(apply_copy(own.session(), plan, force=True)) == {"team/copy:v1": "changed"}
    assert own.tags("team/copy") == {"v1": new}


@pytest.mark.parametrize("force", [False, True])
def test_a_tag_that_appears_after_the_plan_is_not_overwritten(own: OwnSandbox, force: bool) -> None:
    own.push("v1", number=2)
    plan = planned(own, "team/copy:v1")
    theirs, _ = own.push("v1", number=1, repository="team/copy")
    with pytest.raises(ServiceError) as raised:
        apply_copy(own.session(), plan, force=force)
    assert raised.value.code == "ChangedMeanwhile"
    assert (imports(own), own.tags("team/copy")) == ([], {"v1": theirs})


def test_a_tag_that_appears_in_the_last_moment_is_refused_by_azure(own: OwnSandbox) -> None:
    own.push("v1", number=2)
    plan = planned(own, "team/copy:v1")
    theirs, _ = own.push("v1", number=1, repository="team/copy")
    unseen = replace(plan, items=tuple(replace(item, known=False) for item in plan.items))
    with pytest.raises(ServiceError) as raised:
        apply_copy(own.session(), unseen)
    assert (raised.value.code, raised.value.status) == ("Conflict", 409)
    assert "plan it again" in raised.value.remedy
    assert own.tags("team/copy") == {"v1": theirs}


def test_a_source_tag_that_moves_after_the_plan_changes_nothing(own: OwnSandbox) -> None:
    planned_digest, _ = own.push("v1", number=1)
    plan = planned(own, "team/copy:v1")
    own.push("v1", number=2)
    apply_copy(own.session(), plan)
    assert own.tags("team/copy") == {"v1": planned_digest}


def test_a_source_that_vanishes_after_the_plan(own: OwnSandbox) -> None:
    digest, _ = own.push("v1")
    plan = planned(own, "team/copy:v1")
    own.sandbox.store.delete_manifest(REGISTRY, APP, digest, own.sandbox.state.stamp())
    with pytest.raises(ServiceError) as raised:
        apply_copy(own.session(), plan)
    assert (raised.value.code, raised.value.status) == ("InvalidParameters", 400)
    assert "has no such image" in raised.value.remedy
    assert own.tags("team/copy") == {}


def test_a_source_that_is_not_there(own: OwnSandbox) -> None:
    with pytest.raises(ServiceError) as raised:
        planned(own, "team/copy:v1", source=source_of(own, "none"))
    assert raised.value.code == "MANIFEST_UNKNOWN"


@pytest.mark.parametrize(("images", "refused"), [(49, False), (50, True)])
def test_fifty_manifests_are_the_limit_and_it_is_said_before(own: OwnSandbox, images: int, refused: bool) -> None:
    """The index counts, too."""
    own.push_index("v1", numbers=range(images))
    plan = planned(own, "team/copy:v1")
    assert bool(plan.blockers) == refused
    if not refused:
        assert outcomes(apply_copy(own.session(), plan)) == {"team/copy:v1": "created"}
        return
    assert "50 manifests" in plan.blockers[0]
    with pytest.raises(ServiceError) as raised:
        apply_copy(own.session(), plan)
    assert (raised.value.code, imports(own)) == ("Refused", [])
    # Azure, asked all the same, refuses, too.
    with pytest.raises(ServiceError) as by_azure:
        apply_copy(own.session(), replace(plan, blockers=()))
    assert by_azure.value.code == "InvalidParameters"


def test_locks_in_the_way_are_in_the_plan_and_azure_keeps_them(own: OwnSandbox) -> None:
    own.push("v1", number=2)
    own.push("v1", number=1, repository="team/copy")
    frozen = StoredLocks(write=False)
    own.sandbox.store.set_tag_locks(REGISTRY, "team/copy", "v1", frozen, own.sandbox.state.stamp())
    own.sandbox.store.add_repository(REGISTRY, "team/frozen", own.sandbox.state.stamp(), frozen)
    plan = planned(own, "team/copy:v1", "team/frozen:v1", "team/frozen")
    assert ["tag v1 is locked" in plan.items[0].blocker, plan.todo] == [True, ()]
    assert all("repository team/frozen is locked" in item.blocker for item in plan.items[1:])
    with pytest.raises(ServiceError) as raised:
        apply_copy(own.session(), plan, force=True)
    assert raised.value.code == "Refused"
    unlocked = replace(plan, items=tuple(replace(item, blocker="") for item in plan.items), blockers=())
    with pytest.raises(ServiceError) as by_azure:
        apply_copy(own.session(), unlocked, force=True)
    assert "A lock forbids it" in by_azure.value.remedy


def test_a_source_locked_against_reading_is_refused_before(own: OwnSandbox) -> None:
    own.push("v1")
    own.lock_tag("v1", read=False)
    assert "locked against reading" in planned(own, "team/copy:v1").blockers[0]


CLOSED = {"publicNetworkAccess": "Disabled"}


@pytest.mark.parametrize(("bypass", "copied"), [("AzureServices", True), ("None", False)])
def test_a_closed_target_takes_copies_where_it_lets_trusted_services_in(
    own: OwnSandbox, bypass: str, copied: bool
) -> None:
    digest, _ = own.push("v1")
    target = own.make_registry(OTHER, **CLOSED, networkRuleBypassOptions=bypass)
    plan = planned(own, f"{APP}:v1", target=target)
    assert "can't read contosotarget" in plan.warnings[0]
    assert not plan.items[0].known
    assert bool(plan.blockers) == (not copied)
    if copied:
        assert outcomes(apply_copy(own.session(), plan)) == {f"{APP}:v1": "not confirmed"}
        assert own.tags(registry=OTHER) == {"v1": digest}
        return
    assert f"az acr update --name {OTHER} --allow-trusted-services true" in plan.blockers[0]
    with pytest.raises(ServiceError) as raised:
        apply_copy(own.session(), replace(plan, blockers=()))
    assert raised.value.code == "InvalidParameters"
    assert own.tags(registry=OTHER) == {}


@pytest.mark.parametrize(
    ("status", "code", "message", "by_role"),
    [
        (403, "DENIED", "requested access to the resource is denied", True),
        (401, "UNAUTHORIZED", "authentication required", True),
        (403, "DENIED", "client with IP '203.0.113.7' is not allowed access.", False),
        (None, "Unreachable", "The server could not be reached", False),
    ],
)
def test_a_source_that_a_role_is_missing_for_is_not_said_to_be_behind_a_network(
    status: int | None, code: str, message: str, by_role: bool
) -> None:
    source = Source("contoso.azurecr.io", "app", "v1", a_registry())
    error = ServiceError("Could not read it", message, "Ask for a role.", code, status)
    plan = plan_copy(source, a_registry(), error, [CopyItem("app", "v2")])
    assert plan.blockers == ()
    assert message.rstrip(".") in plan.warnings[0]
    assert ("Azure copies as the same identity, and refuses" in plan.warnings[0]) is by_role


def test_why_a_target_can_not_be_read_is_said() -> None:
    items = [CopyItem("app", tag, known=False, why="requested access to the resource is denied") for tag in ("a", "b")]
    source = Source("contoso.azurecr.io", "app", "v1", a_registry())
    (_, warning, *_rest) = plan_copy(source, a_registry(), None, items).warnings
    assert "can't read contosoacr (requested access to the resource is denied): whether" in warning


def test_a_closed_source_is_copied_without_being_counted(own: OwnSandbox) -> None:
    digest, _ = own.push("v1")
    document = own.sandbox.store.find_resource(REGISTRY_TYPE, REGISTRY)
    assert document
    document["properties"] |= CLOSED
    own.sandbox.store.put_resource(document)
    target = own.make_registry(OTHER)
    plan = planned(own, f"{APP}:v1", target=target)
    assert (plan.digest, plan.blockers) == ("", ())
    assert "can't count them before, nor compare digests after" in plan.warnings[0]
    copied = apply_copy(own.session(), plan)
    assert outcomes(copied) == {f"{APP}:v1": "created, not compared"}
    assert copied.results.values[0].digest == digest


def with_admin(own: OwnSandbox) -> str:
    """The admin account switched on; its password."""
    document = own.sandbox.store.find_resource(REGISTRY_TYPE, REGISTRY)
    assert document
    document["properties"]["adminUserEnabled"] = True
    own.sandbox.store.put_resource(document)
    return str(document["_sandbox"]["adminPasswords"][0])


def by_address(own: OwnSandbox, password: str) -> Source:
    return parse_source(f"{own.registry().login_server}/{APP}:v1", REGISTRY, password)


def test_by_address_with_a_user_name_and_password(own: OwnSandbox) -> None:
    digest, _ = own.push("v1")
    target = own.make_registry(OTHER)
    plan = planned(own, f"{APP}:v1", source=by_address(own, with_admin(own)), target=target)
    assert "can't count them before" in plan.warnings[0]
    assert outcomes(apply_copy(own.session(), plan)) == {f"{APP}:v1": "created, not compared"}
    assert own.tags(registry=OTHER) == {"v1": digest}


def test_a_wrong_password_is_explained_and_shows_nowhere(own: OwnSandbox, caplog: pytest.LogCaptureFixture) -> None:
    own.push("v1")
    with_admin(own)
    plan = planned(own, f"{APP}:v2", source=by_address(own, "hunter2"))
    with caplog.at_level(logging.DEBUG), pytest.raises(ServiceError) as raised:
        apply_copy(own.session(), plan)
    assert "check the user name and the password" in raised.value.remedy
    assert "hunter2" not in repr(raised.value) + str(raised.value) + repr(plan) + caplog.text
    # The SDK's own error holds the request, and the request the password.
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None


def test_a_registry_that_azure_does_not_reach(own: OwnSandbox) -> None:
    plan = planned(own, "team/copy:v1", source=parse_source(f"{ABSENT}/app:v1"))
    with pytest.raises(ServiceError) as raised:
        apply_copy(own.session(), plan)
    assert raised.value.code == "InvalidParameters"
    assert "Azure can reach it" in raised.value.remedy
    assert not [request for request in own.sandbox.requests if ABSENT in request.host]


def test_a_reader_may_not_copy(own: OwnSandbox) -> None:
    own.push("v1")
    plan = planned(own, "team/copy:v1")
    with pytest.raises(ServiceError) as raised:
        apply_copy(own.session(as_reader=True), plan)
    assert raised.value.code == "AuthorizationFailed"
    assert "AcrPush is not enough" in raised.value.remedy


def test_who_may_not_pull_from_the_source_is_told_so(own: OwnSandbox) -> None:
    own.push("v1")
    plan = planned(own, "team/copy:v1", target=own.make_registry(OTHER))
    linked = {"error": {"code": "LinkedAuthorizationFailed", "message": "no pull/read on the linked scope"}}
    own.break_({"method": "POST", "path": "importImage", "status": 403, "body": json.dumps(linked)})
    with pytest.raises(ServiceError) as raised:
        apply_copy(own.session(), plan)
    assert "may not pull from the source" in raised.value.remedy


def test_stopping_ends_the_wait_and_not_the_copy(own: OwnSandbox) -> None:
    digest, _ = own.push("v1")
    stop = Event()
    stop.set()
    copied = apply_copy(own.session(), planned(own, "team/copy:v1"), stop=stop)
    assert (copied.finished, copied.results.values, copied.results.untried) == (False, (), 1)
    assert own.tags("team/copy") == {"v1": digest}


def test_polls_that_fail_for_a_while_do_no_harm(own: OwnSandbox) -> None:
    own.push("v1")
    plan = planned(own, "team/copy:v1")
    own.break_({"method": "GET", "path": "operationResults", "status": 503, "times": 2})
    assert outcomes(apply_copy(own.session(), plan)) == {"team/copy:v1": "created"}


@pytest.mark.parametrize("fault", [{"status": 500}, {"reset": True}, {"status": 429, "retry_after": 120}])
def test_polls_that_go_on_failing_are_made_up_for_by_reading_back(own: OwnSandbox, fault: dict[str, Any]) -> None:
    own.push("v1")
    plan = planned(own, "team/copy:v1")
    own.break_({"method": "GET", "path": "operationResults", **fault})
    assert outcomes(apply_copy(own.session(), plan)) == {"team/copy:v1": "created"}


def test_an_answer_lost_before_anything_was_done_says_that_it_is_not_known(own: OwnSandbox) -> None:
    own.push("v1")
    plan = planned(own, "team/copy:v1")
    own.break_({"method": "POST", "path": "importImage", "reset": True})
    with pytest.raises(ServiceError) as raised:
        apply_copy(own.session(), plan)
    assert raised.value.code == "ConnectionLost"
    assert "may be copying all the same" in raised.value.remedy
    assert own.tags("team/copy") == {}


def test_a_tag_that_moves_before_it_is_read_back_is_reported(own: OwnSandbox) -> None:
    own.push("v1", number=1)
    theirs, _ = own.push(number=2, repository="team/copy")
    plan = planned(own, "team/copy:v1")

    def moved(_state: str, _seconds: float) -> None:
        own.move("v1", theirs, "team/copy")

    copied = apply_copy(own.session(), plan, progress=moved)
    assert [refusal.error.code for refusal in copied.results.refused] == ["DigestChanged"]


@pytest.mark.parametrize("name", ["", "Team/App", "team//app", "../app", "team/app/", "a" * 256, "**b**", "<b>"])
def test_a_name_that_no_repository_can_have_is_refused(own: OwnSandbox, name: str) -> None:
    own.push("v1")
    with pytest.raises(ServiceError) as raised:
        read_copy_plan(own.session(), source_of(own), own.registry(), [(name, "v1")])
    assert raised.value.code == "InvalidRepository"


def test_no_target_is_an_error(own: OwnSandbox) -> None:
    with pytest.raises(ServiceError) as raised:
        planned(own)
    assert raised.value.code == "NoTarget"


def test_what_is_copied_has_no_locks_of_its_source(own: OwnSandbox) -> None:
    digest, _ = own.push("v1")
    own.sandbox.store.set_manifest_locks(REGISTRY, APP, digest, StoredLocks(delete=False), own.sandbox.state.stamp())
    apply_copy(own.session(), planned(own, "team/copy:v1"))
    assert get_manifest_row(own.client, "team/copy", digest).locks == Locks()
