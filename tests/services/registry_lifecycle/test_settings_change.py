"""Other settings, on a sandbox that refuses what Azure refuses."""

import json
from dataclasses import fields, replace
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.containerregistry import models
from hypothesis import given
from hypothesis import strategies as st

from sandbox.documents import registry_rules
from services.access.role_assignment_reading import read_caller_permissions
from services.aks.attach import apply_attach, read_attach_plan
from services.aks.clusters import list_clusters
from services.arm.subscriptions import list_subscriptions
from services.connection.changes import LOOK_AGAIN, NOT_KNOWN
from services.connection.errors import ServiceError
from services.connection.parallel import Partial
from services.connection.session import AzureSession
from services.images.repositories import all_repository_names
from services.pull_checks.matrix_reading import read_pulls
from services.registries.reading import get_registry
from services.registries.registry import Mode, PrivateEndpoint, Registry
from services.registries.skus import Sku
from services.registry_lifecycle.settings import LABELS, Settings, differences, settings_of
from services.registry_lifecycle.settings_change import SettingsPlan, apply_settings, plan_settings
from services.registry_lifecycle.stopped_pulls import StoppedPulls, stopped_pulls
from tests.support.canned import ARM, CLOUD, Answer, Canned, Credential, Sent
from tests.support.own_sandbox import OwnSandbox, keep_deleted
from tests.support.settings_at_random import properties_of, settings
from tests.support.shell_lines import registry as a_registry
from tests.support.shell_lines import replica

NOW = "2026-11-01T10:00:00.0000000Z"
ID = "/subscriptions/s1/resourceGroups/rg/providers/Microsoft.ContainerRegistry/registries/contosoacr"


def plan(registry: Registry, **wanted: Any) -> SettingsPlan:
    return plan_settings(registry, replace(settings_of(registry), **wanted))


def fates(own: OwnSandbox, planned: SettingsPlan) -> dict[str, str]:
    found = apply_settings(own.session(), planned)
    assert not found.unplanned
    return {difference.field: fate for difference, fate in found.outcomes}


def patches(own: OwnSandbox) -> list[int]:
    return [request.status for request in own.sandbox.requests if request.method == "PATCH"]


def set_property(own: OwnSandbox, name: str, **properties: Any) -> None:
    """As somebody else would, meanwhile."""
    document = own.sandbox.store.get_resource(own.registry(name).id)
    assert document
    own.sandbox.store.put_resource(registry_rules.changed(document, {"properties": properties}, NOW))


class Azure:
    """One registry that keeps what it is sent, by the sandbox's rules and without its server."""

    def __init__(self, sku: Sku, has: Settings) -> None:
        body = {
            "location": "eastus",
            "sku": {"name": sku.value},
            "properties": properties_of(has),
            "tags": dict(has.tags),
        }
        self.document = registry_rules.created(ID, "contosoacr", body, NOW)
        registry_rules.check(self.document)
        self.wire = Canned()
        self.wire.on("GET", f"{ARM}{ID}", lambda _sent: Answer(200, self.document))
        self.wire.on("GET", f"{ARM}{ID}/listUsages", Answer(200, {"value": []}))
        self.wire.on("GET", f"{ARM}{ID}/replications", Answer(200, {"value": []}))
        self.wire.on("PATCH", f"{ARM}{ID}", self._patch)
        self.session = AzureSession(Credential(), CLOUD, self.wire)

    def _patch(self, sent: Sent) -> Answer:
        self.document = registry_rules.changed(self.document, json.loads(sent.body), NOW)
        registry_rules.check(self.document)
        return Answer(200, self.document)

    @property
    def registry(self) -> Registry:
        return get_registry(self.session, ID)

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(sent.body) for sent in self.wire.sent if sent.method == "PATCH"]


WRITTEN_AS = {
    "public_access": "properties.publicNetworkAccess",
    "default_action": "properties.networkRuleSet",
    "ip_rules": "properties.networkRuleSet",
    "trusted_services": "properties.networkRuleBypassOptions",
    "data_endpoints": "properties.dataEndpointEnabled",
    "admin_user": "properties.adminUserEnabled",
    "anonymous_pull": "properties.anonymousPullEnabled",
    "arm_audience_tokens": "properties.policies.azureADAuthenticationAsArmPolicy",
    "mode": "properties.roleAssignmentMode",
    "retention_days": "properties.policies.retentionPolicy",
    "tags": "tags",
    "soft_delete_days": "properties.policies.softDeletePolicy",
}


def members(body: dict[str, Any]) -> set[str]:
    """What a PATCH names, policies one by one."""
    named = set()
    for name, value in body.items():
        if name != "properties":
            named.add(name)
            continue
        for member, inner in value.items():
            named |= {f"properties.policies.{of}" for of in inner} if member == "policies" else {f"properties.{member}"}
    return named


two_of_a_sku = st.sampled_from(Sku).flatmap(lambda sku: st.tuples(st.just(sku), settings(sku), settings(sku)))


@given(two_of_a_sku)
def test_a_plan_that_is_applied_makes_what_is_wanted_and_sends_nothing_else(
    drawn: tuple[Sku, Settings, Settings],
) -> None:
    sku, has, wanted = drawn
    azure = Azure(sku, has)
    assert settings_of(azure.registry) == has
    planned = plan_settings(azure.registry, wanted)
    assert not planned.blockers
    assert planned.fields == {name for name in LABELS if getattr(has, name) != getattr(wanted, name)}
    if not planned.differences:
        with pytest.raises(ServiceError, match="No setting would change"):
            apply_settings(azure.session, planned)
        assert not azure.bodies
        return
    result = apply_settings(azure.session, planned)
    assert {fate for _, fate in result.outcomes} == {"changed"}
    assert (result.unplanned, result.error) == ((), None)
    assert settings_of(azure.registry) == wanted
    (body,) = azure.bodies
    assert members(body) == {WRITTEN_AS[name] for name in planned.fields}


def test_each_setting_has_its_words() -> None:
    assert list(LABELS) == [field.name for field in fields(Settings)] == list(WRITTEN_AS)


def test_settings_are_changed_and_read_back_one_by_one(own: OwnSandbox) -> None:
    registry = own.make_registry("contosohub")
    planned = plan(registry, admin_user=True, retention_days=30, tags=(("owner", "platform"),))
    assert [(one.label, one.before, one.after) for one in planned.differences] == [
        ("Admin user", "off", "on"),
        ("Untagged manifests", "kept", "deleted after 30 days"),
        ("Tags", "none", "owner=platform"),
    ]
    assert fates(own, planned) == {"admin_user": "changed", "retention_days": "changed", "tags": "changed"}
    assert patches(own) == [200]
    found = settings_of(own.registry("contosohub"))
    assert (found.admin_user, found.retention_days, found.tags) == (True, 30, (("owner", "platform"),))


def test_the_network_is_closed_but_for_the_addresses_that_are_named(own: OwnSandbox) -> None:
    registry = own.make_registry("contosohub")
    planned = plan(registry, default_action="Deny", ip_rules=("203.0.113.0/24",))
    assert fates(own, planned) == {"default_action": "changed", "ip_rules": "changed"}
    assert own.registry("contosohub").network.words == "restricted"
    with pytest.raises(ServiceError, match=r"127\.0\.0\.1"):
        all_repository_names(own.session().registry(registry.login_server))


@pytest.mark.parametrize(
    ("sku", "wanted", "blocker"),
    [
        ("Basic", {"anonymous_pull": True}, "Basic has no anonymous pull."),
        ("Standard", {"public_access": False}, "Standard has no restriction of public access."),
        ("Standard", {"default_action": "Deny"}, "Standard has no restriction of public access."),
        ("Standard", {"ip_rules": ("203.0.113.7",)}, "Standard has no restriction of public access."),
        ("Basic", {"retention_days": 7}, "Basic has no retention policy."),
        ("Standard", {"data_endpoints": True}, "Standard has no dedicated data endpoints."),
    ],
)
def test_what_the_sku_lacks_blocks_and_azure_would_refuse_it_too(
    own: OwnSandbox, sku: str, wanted: dict[str, Any], blocker: str
) -> None:
    planned = plan(own.make_registry("contososmall", sku), **wanted)
    assert planned.blockers == (blocker,)
    with pytest.raises(ServiceError) as raised:
        apply_settings(own.session(), planned)
    assert (raised.value.code, raised.value.cause) == ("Refused", blocker)
    with pytest.raises(ServiceError) as raised:
        apply_settings(own.session(), replace(planned, blockers=()))
    assert raised.value.code == "ChangedMeanwhile"  # Looked at again, it is refused still.
    assert patches(own) == []
    body = models.RegistryUpdateParameters(properties=properties_of(planned.wanted))
    registries = own.session().registries(planned.registry.subscription_id).registries
    with pytest.raises(HttpResponseError, match="SkuNotSupported"):
        registries.begin_update(planned.registry.resource_group, "contososmall", body)


def test_a_setting_that_is_turned_off_is_asked_of_no_sku() -> None:
    odd = a_registry(sku="Basic", anonymous_pull=True, retention_days=7, data_endpoints=("a.data.azurecr.io",))
    off = plan(odd, anonymous_pull=False, retention_days=None, data_endpoints=False, public_access=True)
    assert off.blockers == ()


def test_a_registry_in_trouble_and_a_retired_one_are_left_as_they_are() -> None:
    assert plan(a_registry(provisioning_state="Updating"), admin_user=True).blockers == (
        "An operation is still running (state: Updating).",
    )
    assert "Classic is retired" in plan(a_registry(sku="Classic"), admin_user=True).blockers[0]
    too_many = tuple(f"20.0.{number}.0/24" for number in range(201))
    assert "at most 200 IP rules: there are 201" in plan(a_registry(), ip_rules=too_many).blockers[0]
    assert "0 to 365 days, not 400" in plan(a_registry(), retention_days=400).blockers[0]


def test_what_somebody_else_changed_since_stops_it(own: OwnSandbox) -> None:
    planned = plan(own.make_registry("contosohub"), admin_user=True)
    set_property(own, "contosohub", adminUserEnabled=True)
    with pytest.raises(ServiceError, match="Admin user: on now, no longer off") as raised:
        apply_settings(own.session(), planned)
    assert raised.value.code == "ChangedMeanwhile"
    assert patches(own) == []


def test_rules_that_somebody_added_since_are_not_written_over(own: OwnSandbox) -> None:
    planned = plan(own.make_registry("contosohub"), default_action="Deny")
    set_property(own, "contosohub", networkRuleSet={"ipRules": [{"action": "Allow", "value": "203.0.113.7"}]})
    with pytest.raises(ServiceError, match=r"IP rules: 203\.0\.113\.7 now, no longer none"):
        apply_settings(own.session(), planned)
    assert patches(own) == []


def test_a_change_elsewhere_stops_nothing_and_is_kept(own: OwnSandbox) -> None:
    planned = plan(own.make_registry("contosohub"), admin_user=True)
    set_property(own, "contosohub", anonymousPullEnabled=True)
    assert fates(own, planned) == {"admin_user": "changed"}
    assert settings_of(own.registry("contosohub")).anonymous_pull


def test_what_changes_along_with_it_is_said(own: OwnSandbox) -> None:
    planned = plan(own.make_registry("contosohub"), admin_user=True)

    def meanwhile(state: str) -> None:
        if state == "verifying":
            set_property(own, "contosohub", anonymousPullEnabled=True)

    found = apply_settings(own.session(), planned, meanwhile)
    assert [fate for _, fate in found.outcomes] == ["changed"]
    assert [(one.label, one.after) for one in found.unplanned] == [("Anonymous pull", "on")]


def test_a_smaller_sku_since_stops_it(own: OwnSandbox) -> None:
    planned = plan(own.make_registry("contosohub"), retention_days=7)
    document = own.sandbox.store.get_resource(planned.registry.id)
    assert document
    own.sandbox.store.put_resource({**document, "sku": {"name": "Standard", "tier": "Standard"}})
    with pytest.raises(ServiceError, match="Standard has no retention policy") as raised:
        apply_settings(own.session(), planned)
    assert raised.value.code == "ChangedMeanwhile"
    assert patches(own) == []


def test_a_reader_is_refused_and_told_so(own: OwnSandbox) -> None:
    with pytest.raises(ServiceError) as raised:
        apply_settings(own.session(as_reader=True), plan(own.registry(), admin_user=True))
    assert raised.value.code == "AuthorizationFailed"
    assert raised.value.request_id
    assert not own.registry().access.admin_user


def test_who_may_not_change_it_is_told_before(own: OwnSandbox) -> None:
    registry = own.registry()
    wanted = replace(settings_of(registry), admin_user=True)
    reader = read_caller_permissions(own.session(as_reader=True), registry)
    assert "You may not change this registry" in plan_settings(registry, wanted, caller_permissions=reader).blockers[0]
    assert (
        plan_settings(registry, wanted, caller_permissions=read_caller_permissions(own.session(), registry)).blockers
        == ()
    )


@pytest.mark.parametrize("status", [403, 409, 429])
def test_a_refusal_changes_nothing_and_is_the_reason(own: OwnSandbox, status: int) -> None:
    planned = plan(own.registry(), admin_user=True)
    own.break_({"method": "PATCH", "path": "/casaacr01$", "status": status, "retry_after": 0.01})
    with pytest.raises(ServiceError) as raised:
        apply_settings(own.session(), planned)
    assert raised.value.status == status
    assert not own.registry().access.admin_user


@pytest.mark.parametrize("how", [{"reset": True}, {"status": 504}])
def test_an_answer_that_is_lost_after_the_deed_is_no_failure(own: OwnSandbox, how: dict[str, Any]) -> None:
    planned = plan(own.registry(), admin_user=True)
    own.break_({"method": "PATCH", "path": "/casaacr01$", "late": True, **how})
    assert fates(own, planned) == {"admin_user": "changed"}


def test_a_change_that_can_not_be_read_back_is_not_confirmed(own: OwnSandbox) -> None:
    planned = plan(own.registry(), admin_user=True)

    def broken(state: str) -> None:
        if state == "verifying":
            own.break_({"method": "GET", "path": "/casaacr01$", "status": 403})

    found = apply_settings(own.session(), planned, broken)
    assert [fate for _, fate in found.outcomes] == ["not confirmed"]


def test_where_nobody_can_tell_the_error_says_so(own: OwnSandbox) -> None:
    planned = plan(own.registry(), admin_user=True)

    def broken(state: str) -> None:
        if state == "changing":
            rule = {"path": "/casaacr01$", "status": 403}
            own.break_({"method": "PATCH", **rule}, {"method": "GET", **rule})

    with pytest.raises(ServiceError) as raised:
        apply_settings(own.session(), planned, broken)
    assert raised.value.remedy == f"{NOT_KNOWN} {LOOK_AGAIN}"


def test_what_azure_took_in_part_is_told_item_by_item(own: OwnSandbox) -> None:
    planned = plan(own.make_registry("contosohub"), admin_user=True, anonymous_pull=True)
    own.break_({"method": "PATCH", "path": "/contosohub$", "status": 409})

    def partly(state: str) -> None:
        if state == "verifying":
            set_property(own, "contosohub", adminUserEnabled=True)

    found = apply_settings(own.session(), planned, partly)
    assert {one.field: fate for one, fate in found.outcomes} == {"admin_user": "changed", "anonymous_pull": "refused"}
    assert found.error
    assert found.error.status == 409


def test_retention_is_blocked_while_soft_delete_is_on_and_azure_refuses_it_too(own: OwnSandbox) -> None:
    keep_deleted(own, 7, own.make_registry("contosokeeps").name)
    planned = plan(own.registry("contosokeeps"), retention_days=30)
    assert planned.blockers == (
        "Azure allows no retention policy while soft delete is on: turn soft delete off first.",
    )
    body = models.RegistryUpdateParameters(properties=properties_of(planned.wanted))
    registries = own.session().registries(planned.registry.subscription_id).registries
    with pytest.raises(HttpResponseError, match="PolicyConflict"):
        registries.begin_update(planned.registry.resource_group, "contosokeeps", body)


APPROVED = (PrivateEndpoint("/e/one", "Approved"),)
OPEN = {"public_access": True, "default_action": "Allow"}


@pytest.mark.parametrize(
    ("has", "wanted", "words"),
    [
        (OPEN, {"public_access": False}, "no approved private endpoint: nothing can reach"),
        ({**OPEN, "private_endpoints": APPROVED}, {"public_access": False}, "through 1 approved private endpoint only"),
        (OPEN, {"default_action": "Deny"}, "no IP rule and no approved private endpoint: nothing"),
        (OPEN, {"default_action": "Deny", "ip_rules": ("203.0.113.7",)}, "include your own"),
        (OPEN, {"default_action": "Deny", "ip_rules": ("10.0.0.0/8",)}, "10.0.0.0/8 is not a public address"),
        (OPEN, {"default_action": "Deny", "ip_rules": ("0.0.0.0/0",)}, "allows every address"),
        (OPEN, {"ip_rules": ("203.0.113.7",)}, "IP rules have no effect while all networks are allowed"),
        ({}, OPEN, "Every network will be able to reach it"),
        ({}, {"trusted_services": False}, "Trusted Azure services, such as imports"),
        ({}, {"admin_user": True}, "two passwords that do not expire"),
        ({"admin_user": True}, {"admin_user": False}, "refused at once"),
        (OPEN, {"anonymous_pull": True}, "Anyone on the internet can pull every image"),
        ({}, {"anonymous_pull": True}, "Anyone who can reach it can pull every image"),
        ({"mode": Mode.LEGACY}, {"mode": Mode.ABAC}, "AcrPull, AcrPush and AcrDelete are ignored then"),
        ({}, {"mode": Mode.LEGACY}, "minutes to hours"),
        ({}, {"data_endpoints": True}, "contosoacr.westeurope.data.azurecr.io"),
        ({"data_endpoints": ("a",)}, {"data_endpoints": False}, "*.blob.core.windows.net"),
        ({}, {"retention_days": 0}, "as soon as it loses its last tag"),
        ({}, {"retention_days": None}, "kept, and billed, until someone deletes them"),
        ({"tags": (("a", "b"), ("c", "d"))}, {"tags": (("c", "d"),)}, "use the tag a no longer find"),
        ({"arm_audience_tokens": True}, {"arm_audience_tokens": False}, "az aks check-acr"),
    ],
)
def test_what_a_change_does_is_said_before(has: dict[str, Any], wanted: dict[str, Any], words: str) -> None:
    assert words in " ".join(plan(a_registry(**has), **wanted).warnings)


def test_who_is_shut_out_by_the_rules_is_told_by_the_address() -> None:
    registry = a_registry(**OPEN)
    wanted = replace(settings_of(registry), default_action="Deny", ip_rules=("203.0.113.0/24",))
    outside = " ".join(plan_settings(registry, wanted, caller_address="198.51.100.7").warnings)
    assert "Your address 198.51.100.7 is in none of the IP rules" in outside
    assert "Your address" not in " ".join(plan_settings(registry, wanted, caller_address="203.0.113.9").warnings)


def test_the_lines_change_exactly_what_the_plan_does() -> None:
    registry = a_registry(**OPEN, ip_rules=("203.0.113.7/32", "198.51.100.0/24"), tags=(("a", "b"),))
    planned = plan(
        registry,
        default_action="Deny",
        ip_rules=("20.1.0.0/16", "203.0.113.7"),
        admin_user=True,
        retention_days=None,
        tags=(),
    )
    assert planned.commands == (
        "az acr update --name contosoacr --default-action Deny --admin-enabled true --tags ''",
        "az acr network-rule add --name contosoacr --ip-address 20.1.0.0/16",
        "az acr network-rule remove --name contosoacr --ip-address 198.51.100.0/24",
        "az acr config retention update --registry contosoacr --status disabled --type UntaggedManifests",
    )
    off = plan(registry, public_access=False, mode=Mode.LEGACY, tags=(("cost center", "4 2"),))
    assert off.commands == (
        "az acr update --name contosoacr --public-network-enabled false --default-action Allow"
        " --role-assignment-mode rbac --tags 'cost center=4 2'",
    )


def test_the_clusters_that_may_stop_pulling_are_named(own: OwnSandbox) -> None:
    session, registry = own.session(), own.make_registry("contosohub")
    (cluster,) = list_clusters(session, list_subscriptions(session).values).values
    apply_attach(session, read_attach_plan(session, cluster, registry))
    pulls = read_pulls(session)
    address = "203.0.113.10"
    addresses = {resource_id.lower(): address for resource_id in cluster.network.outbound_ip_ids}

    def stopped(**changes: Any) -> list[str]:
        wanted = replace(settings_of(registry), **changes)
        found = stopped_pulls(pulls, registry, wanted, Partial(tuple(addresses.items())))
        assert (found.undetermined, found.missing) == ((), ())
        assert plan_settings(registry, wanted, stopped=found).warnings[: len(found.stops)] == tuple(
            f"aks1 can pull from it now, and may not be able to afterwards: {pair.reason}" for pair in found.stops
        )
        return [pair.reason for pair in found.stops]

    assert stopped(admin_user=True) == []
    assert "Ignored: a registry in ABAC mode" in stopped(mode=Mode.ABAC)[0]
    assert f"{address} is in none of the registry's IP rules" in stopped(default_action="Deny")[0]
    assert stopped(default_action="Deny", ip_rules=("203.0.113.0/24",)) == []
    assert "There is no approved private endpoint." in stopped(public_access=False)[0]


def test_a_cluster_that_can_not_pull_today_stops_nothing(own: OwnSandbox) -> None:
    session, registry = own.session(), own.registry()
    wanted = replace(settings_of(registry), mode=Mode.ABAC)
    assert stopped_pulls(read_pulls(session), registry, wanted, Partial(())) == StoppedPulls()


def test_soft_delete_is_turned_on_changed_and_turned_off_by_the_preview_of_the_api(own: OwnSandbox) -> None:
    own.make_registry("contosokeeps")
    for days, line, words in (
        (14, "--status enabled --days 14", "stays billed, and can be restored, for 14 days"),
        (5, "--status enabled --days 5", "may be purged at once"),
        (0, "--status disabled", "Deletions are permanent from now on"),
    ):
        planned = plan(own.registry("contosokeeps"), soft_delete_days=days)
        assert [one.label for one in planned.differences] == ["Soft delete"] and not planned.blockers
        assert planned.commands == (f"az acr config soft-delete update --registry contosokeeps {line}",)
        assert any(words in warning for warning in planned.warnings)
        result = apply_settings(own.session(), planned)
        assert [str(fate) for _, fate in result.outcomes] == ["changed"] and not result.unplanned
        assert own.registry("contosokeeps").soft_delete.days == days


@pytest.mark.parametrize("days", [91, -1])
def test_soft_delete_has_its_limits(own: OwnSandbox, days: int) -> None:
    assert "1 to 90 days" in " ".join(plan(own.registry(), soft_delete_days=days).blockers)


def test_soft_delete_is_blocked_by_replicas_and_retention_and_azure_refuses_it_too(own: OwnSandbox) -> None:
    registry = own.make_registry("contosokeeps", policies={"retentionPolicy": {"status": "enabled", "days": 3}})
    assert "keep them first" in plan(registry, soft_delete_days=7).blockers[0]
    replicated = replace(registry, replicas=(replica("northeurope"),))
    assert "replicas first" in " ".join(plan(replicated, retention_days=None, soft_delete_days=7).blockers)
    policies = models.Policies()
    policies["softDeletePolicy"] = {"status": "enabled", "retentionDays": 7}
    body = models.RegistryUpdateParameters(properties=models.RegistryPropertiesUpdateParameters(policies=policies))
    change = own.session().registries_preview(registry.subscription_id).registries
    with pytest.raises(HttpResponseError, match="PolicyConflict"):
        change.begin_update(registry.resource_group, registry.name, body)


def test_an_unknown_soft_delete_policy_is_no_difference(own: OwnSandbox) -> None:
    before = settings_of(own.registry())
    assert not differences(before, replace(before, soft_delete_days=None))
    assert not differences(replace(before, soft_delete_days=None), before)
