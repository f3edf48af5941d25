"""What a change of settings does to those who use the registry, as warnings of its plan.

https://learn.microsoft.com/azure/container-registry/container-registry-access-selected-networks, -private-link,
-dedicated-data-endpoints, -rbac-abac-repository-permissions, -retention-policy; anonymous-pull-access
"""

from collections.abc import Iterator
from ipaddress import IPv4Network, ip_address

from services.pull_checks.network import is_allowed
from services.registries.registry import Mode, Registry
from services.registry_lifecycle.settings import Settings
from services.wording import counted

_PRIVATE_RANGES = [
    IPv4Network(one)
    for one in ("10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16")
]
_NETWORK_FIELDS = {"public_access", "default_action", "ip_rules"}


def settings_warnings(
    registry: Registry, before: Settings, after: Settings, caller_address: str = ""
) -> tuple[str, ...]:
    """A sentence or two for each effect of the change. `caller_address`: the IP address from which the caller reaches
    the registry, "" where it is not known."""
    return (
        *_network_warnings(registry, before, after, caller_address),
        *_data_warnings(registry, before, after),
        *_soft_delete_warnings(registry, before, after),
        *_sign_in_warnings(before, after),
        *_mode_warnings(before, after),
        *_tag_warnings(before, after),
    )


def _network_warnings(registry: Registry, before: Settings, after: Settings, caller_address: str) -> Iterator[str]:
    if any(getattr(before, name) != getattr(after, name) for name in _NETWORK_FIELDS):
        yield from _reach_warnings(registry, before, after, caller_address)
    if (before.default_action, before.ip_rules) != (after.default_action, after.ip_rules):
        yield (
            "Rules for virtual networks (service endpoints, a preview) are not shown here and may get lost: compare "
            f"az acr network-rule list --name {registry.name} before and after."
        )
    for rule in sorted(set(after.ip_rules) - set(before.ip_rules)):
        yield from _ip_rule_warnings(rule)
    if before.trusted_services and not after.trusted_services:
        yield (
            "Trusted Azure services, such as imports, Defender, Machine Learning and Container Instances, are refused "
            "while network access is restricted."
        )


def _reach_warnings(registry: Registry, before: Settings, after: Settings, caller_address: str) -> Iterator[str]:
    approved = sum(end.state == "Approved" for end in registry.network.private_endpoints)
    if not after.public_access:
        if not approved:
            yield "There is no approved private endpoint: nothing can reach the registry then, this console included."
        elif before.public_access:
            yield (
                f"It will be reachable through {counted(approved, 'approved private endpoint')} only: clients outside "
                "those networks are blocked, perhaps this console too. IP rules no longer apply."
            )
        return
    if after.default_action != "Deny":
        if not before.public_access or before.default_action == "Deny":
            yield "Every network will be able to reach it: only signing in protects it, and IP rules do not apply."
        elif before.ip_rules != after.ip_rules:
            yield "IP rules have no effect while all networks are allowed."
        return
    if not after.ip_rules:
        yield (
            "There is no IP rule: it will be reachable through private endpoints only."
            if approved
            else "There is no IP rule and no approved private endpoint: nothing can reach the registry then."
        )
    elif not caller_address:
        yield (
            "Clients whose address is in none of the IP rules are blocked: include your own address, those of your "
            "build agents and those of your clusters."
        )
    if caller_address and not is_allowed(caller_address, after.ip_rules):
        yield f"Your address {caller_address} is in none of the IP rules: you lose access to its images, also here."


def _ip_rule_warnings(rule: str) -> Iterator[str]:
    try:
        one = IPv4Network(rule)
    except ValueError:
        return
    if one.prefixlen == 0:
        yield f"{rule} allows every address."
    elif any(one.subnet_of(private) for private in _PRIVATE_RANGES):
        yield f"{rule} is not a public address. The registry sees public addresses only, so the rule has no effect."


def is_address(text: str) -> bool:
    """Whether the text is one IP address."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _data_warnings(registry: Registry, before: Settings, after: Settings) -> Iterator[str]:
    if after.data_endpoints and not before.data_endpoints:
        regions = [registry.location, *(replica.region for replica in registry.replicas or ())]
        name, _, suffix = registry.login_server.partition(".")
        hosts = ", ".join(f"{name}.{region}.data.{suffix}" for region in regions) if suffix else "the data endpoints"
        yield (
            f"Layers will come from {hosts}: firewalls that filter by host name must allow that first, or pulls "
            "fail after the manifest."
        )
    if before.data_endpoints and not after.data_endpoints:
        yield (
            "Layers will come from *.blob.core.windows.net: behind firewalls that allow only the data endpoints, "
            "pulls fail after the manifest."
        )
    if after.retention_days is not None and after.retention_days != before.retention_days:
        days = after.retention_days
        when = f"{days} days after it loses its last tag" if days else "as soon as it loses its last tag"
        yield (
            f"A manifest is permanently deleted {when}, even if something still pulls it by its digest. The policy "
            "covers Docker media types only, and only what is untagged from now on. Azure refuses it while soft "
            "delete (a preview) is on."
        )
    if before.retention_days is not None and after.retention_days is None:
        yield "Untagged manifests will be kept, and billed, until someone deletes them."


def _soft_delete_warnings(registry: Registry, before: Settings, after: Settings) -> Iterator[str]:
    had, has = before.soft_delete_days, after.soft_delete_days
    if had is None or has is None or had == has:
        return
    if has and not had:
        yield (
            f"What is deleted from now on stays billed, and can be restored, for {counted(has, 'day')}: clean-ups free "
            "no storage before. What is deleted can't be pushed again meanwhile, only restored."
        )
        if registry.replicas is None:
            yield "Replicas unknown: Azure refuses soft delete on a geo-replicated registry."
    elif has:
        yield (
            f"What was deleted before expires after {counted(has, 'day')} too"
            + (": part of it may be purged at once." if has < had else ", and stays billed until then.")
        )
    else:
        yield (
            f"Deletions are permanent from now on. What is kept already is purged after {counted(had, 'day')}, and "
            "stays billed until then."
        )


def _sign_in_warnings(before: Settings, after: Settings) -> Iterator[str]:
    if after.admin_user and not before.admin_user:
        yield (
            "The admin user is one shared name with two passwords that do not expire: whoever has one can push and "
            "delete everything, and logs do not show who did."
        )
    if before.admin_user and not after.admin_user:
        yield "Whatever signs in with an admin password, such as a pipeline or a pull secret, is refused at once."
    if after.anonymous_pull and not before.anonymous_pull:
        who = (
            "Anyone on the internet"
            if after.public_access and after.default_action != "Deny"
            else "Anyone who can reach it"
        )
        yield f"{who} can pull every image of every repository without signing in. All share one rate limit."
    if before.anonymous_pull and not after.anonymous_pull:
        yield "Whatever pulls without signing in is refused at once."
    if after.arm_audience_tokens and not before.arm_audience_tokens:
        yield "An Azure Resource Manager token that leaks will give access to the registry too."
    if before.arm_audience_tokens and not after.arm_audience_tokens:
        yield "Older clients, and az aks check-acr, sign in with ARM tokens: they will be refused."


def _mode_warnings(before: Settings, after: Settings) -> Iterator[str]:
    if before.mode is after.mode:
        return
    if after.mode is Mode.ABAC:
        yield (
            "AcrPull, AcrPush and AcrDelete are ignored then, and Owner, Contributor and Reader can't pull, push or "
            "delete any more: assign the repository roles first. The dry run of the switch shows who loses what."
        )
    else:
        yield (
            "The repository roles and their conditions are ignored then. AcrPull, AcrPush and AcrDelete take effect "
            "again, and Owner, Contributor and Reader can pull: all in every repository."
        )
    yield (
        "Cached credentials become invalid: pulls and pushes may be refused for minutes to hours. Restarting pods is "
        "not enough: restart kubelet, or replace the nodes."
    )


def _tag_warnings(before: Settings, after: Settings) -> Iterator[str]:
    removed = sorted(dict(before.tags).keys() - dict(after.tags).keys())
    if removed:
        yield f"Cost reports and policies that use the tag {', '.join(removed)} no longer find the registry."
