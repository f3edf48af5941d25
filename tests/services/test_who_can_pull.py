"""Every view gives the same answer to who can pull: for every pair of the estate, and where the directory refuses."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sandbox.server import Sandbox
from services.access.decisions import Decision, Verdict
from services.access.permissions import Permission
from services.access_review.abac_switch import plan_switch
from services.access_review.who_can import what_can
from services.connection.session import AzureSession, connect_sandbox
from services.pull_checks.checks import Check, CheckState
from services.pull_checks.matrix import Answer, Pair, Pulls, pull_matrix
from services.pull_checks.matrix_reading import read_pulls
from services.pull_checks.network import Resolved
from services.pull_checks.run import PullQuestion, run_checks
from services.pull_checks.summary import summarize_pulls
from services.registries.reading import describe_registry
from services.registries.registry import Mode, Registry
from services.registry_lifecycle.settings import settings_of
from services.registry_lifecycle.stopped_pulls import stopped_pulls

BY_ROLES = {
    Verdict.YES: Answer.CAN,
    Verdict.SOME: Answer.SOME,
    Verdict.NO: Answer.CANNOT,
    Verdict.UNKNOWN: Answer.UNKNOWN,
}


@pytest.fixture(scope="module")
def pulls(session: AzureSession) -> Pulls:
    return read_pulls(session)


def names(pairs: tuple[Pair, ...]) -> set[str]:
    return {pair.cluster.name for pair in pairs}


def on(registry: Registry, pairs: tuple[Pair, ...]) -> tuple[Pair, ...]:
    return tuple(pair for pair in pairs if pair.registry is registry)


def checked(session: AzureSession, pair: Pair) -> dict[str, Check]:
    """The checker's own checks of the permission and of the network."""
    given = "" if pair.cluster.puller.object_id else pair.principal_id
    registry = describe_registry(session, pair.registry.id)
    question = PullQuestion(pair.cluster, registry, datetime.now(UTC), principal_id=given)
    report = run_checks(session, question, lookup=lambda _host: Resolved(("192.0.2.1",), ""))
    return {check.id: check for check in report.checks if check.id in ("C6", "C9")}


def test_the_checker_says_what_the_matrix_says(session: AzureSession, pulls: Pulls) -> None:
    for pair in pull_matrix(pulls):
        checks = checked(session, pair)
        permission, network = checks["C6"].state, checks["C9"].state
        expected = {
            Answer.CAN: CheckState.PASSED,
            Answer.SOME: CheckState.UNKNOWN,  # Until the question names a repository.
            Answer.CANNOT: CheckState.FAILED,
        }[pair.by_roles]
        assert permission is (CheckState.WARNING if pair.registry.access.anonymous_pull else expected), pair
        assert network is {True: CheckState.PASSED, None: CheckState.UNKNOWN, False: CheckState.FAILED}[pair.path.open]
        if permission is CheckState.FAILED:
            assert checks["C6"].evidence.endswith(pair.why)  # Where a role has no effect, the matrix says that alone.


def test_a_deletion_and_a_change_of_settings_say_what_the_matrix_says(pulls: Pulls) -> None:
    for registry in pulls.registries.values:
        pairs = on(registry, pull_matrix(pulls))
        summary = summarize_pulls(pulls, registry)
        assert names(summary.can) == {pair.cluster.name for pair in pairs if pair.can}
        assert names(summary.undetermined) == {pair.cluster.name for pair in pairs if pair.can is None}
        closed = replace(settings_of(registry), public_access=False)
        stops = stopped_pulls(pulls, registry, closed, pulls.addresses).stops
        privately = {pair.cluster.name for pair in stops if pair.path.open}
        assert not privately
        if not registry.network.approved_endpoints:
            assert names(stops) == names(summary.can)


def test_the_access_review_and_the_dry_run_say_what_the_matrix_says(pulls: Pulls) -> None:
    records = {one.subscription.id: one.records for one in pulls.access.values}
    groups = pulls.memberships.known_groups
    for pair in pull_matrix(pulls):
        registry = pair.registry
        if registry.access.anonymous_pull:
            continue
        of_principal = dict.fromkeys(records, groups[pair.principal_id])
        (rights,) = what_can(records, [registry], pair.principal_id, groups=of_principal)
        assert BY_ROLES[rights.on(Permission.PULL).verdict] is pair.by_roles, pair
    for registry in pulls.registries.values:
        if registry.access.mode is Mode.ABAC or registry.access.anonymous_pull:
            continue
        clusters = pulls.clusters.values
        plan = plan_switch(records[registry.subscription_id], registry, clusters, memberships=pulls.memberships)
        planned = {one.cluster.name: verdict_of(one.before) for one in plan.clusters}
        pairs = on(registry, pull_matrix(pulls))
        assert planned == {one.cluster.name: one.by_roles for one in pairs if one.by_roles is not Answer.CANNOT}
        switched = replace(settings_of(registry), mode=Mode.ABAC)
        stops = stopped_pulls(pulls, registry, switched, pulls.addresses).stops
        assert names(stops) == {one.cluster.name for one in plan.clusters if one.stops}


def verdict_of(decision: Decision | None) -> Answer:
    assert decision is not None
    return BY_ROLES[decision.verdict]


def test_a_role_of_a_group_or_a_service_principal_counts(pulls: Pulls) -> None:
    by_name = {registry.name: registry for registry in pulls.registries.values}
    assert names(summarize_pulls(pulls, by_name["contosodev"]).can) == {"aks-dev"}
    assert names(summarize_pulls(pulls, by_name["contosohub"]).can) == {"aks-platform", "aks-batch"}
    (dev,) = summarize_pulls(pulls, by_name["contosodev"]).can
    assert dev.why == "AcrPull, inherited from the resource group dev-rg, held by the group dev-cluster-nodes."


def test_where_the_directory_refuses_it_says_whose_members_are_not_known(tmp_path: Path) -> None:
    faults = tmp_path / "faults.json"
    faults.write_text("[]")
    with Sandbox.start(tmp_path / "sandbox", "estate", faults=faults) as broken:
        session = connect_sandbox(broken.ready)
        everything = pull_matrix(read_pulls(session))
        faults.write_text('[{"path": "/getMemberGroups$", "status": 403}]')
        pulls = read_pulls(session)
        by_name = {registry.name: registry for registry in pulls.registries.values}
        dev = summarize_pulls(pulls, by_name["contosodev"])
        assert dev.label == "0 can, 6 or more not known: members of dev-cluster-nodes could not be read; " + (
            "clusters of contoso-restricted could not be read"
        )
        hub = summarize_pulls(pulls, by_name["contosohub"])
        assert names(hub.can) == {"aks-platform", "aks-batch"}
        assert "members of platform-engineers could not be read" in hub.missing
        assert_never_contradicted(pull_matrix(pulls), everything)
        warning = stopped_pulls(
            pulls,
            by_name["contosodev"],
            replace(settings_of(by_name["contosodev"]), mode=Mode.ABAC),
            pulls.addresses,
        ).warnings
        assert "members of dev-cluster-nodes could not be read" in warning[-1] and "aks-dev" in warning[-1]
        faults.write_text('[{"path": "/servicePrincipals$", "status": 403}]')
        batch = next(one for one in pull_matrix(read_pulls(session)) if one.cluster.name == "aks-batch")
        assert batch.can is None
        assert batch.missing == ("the service principal of aks-batch could not be read",)
        assert "Could not read the object id of the service principal" in batch.reason


def assert_never_contradicted(found: tuple[Pair, ...], truth: tuple[Pair, ...]) -> None:
    """What is not unknown is true."""
    for pair, known in zip(found, truth, strict=True):
        assert pair.by_roles in (known.by_roles, Answer.UNKNOWN), pair
        assert bool(pair.missing) is (pair.can is None)
