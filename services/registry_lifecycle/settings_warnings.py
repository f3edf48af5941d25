"""What a change of settings does to those who use the registry, told before it is made.

https://learn.microsoft.com/azure/container-registry/container-registry-access-selected-networks, -private-link,
-dedicated-data-endpoints, -rbac-abac-repository-permissions, -retention-policy; anonymous-pull-access
"""

from collections.abc import Iterator
from ipaddress import IPv4Network, ip_address

from services.pull_checks.network import is_allowed
from services.registries.registry import Mode, Registry
from services.registry_lifecycle.settings import Settings

_PRIVATE = [
    IPv4Network(one)
    for one in ("10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16")
]
_NETWORK = {"public_access", "default_action", "ip_rules"}


def warnings_of(registry: Registry, before: Settings, after: Settings, caller: str = "") -> tuple[str, ...]:
    """A sentence or two for each thing to know. `caller`: the address from which whoever asks reaches the registry, ""
    where it is not known."""
    return (
        *_about_network(registry, before, after, caller),
        *_about_data(registry, before, after),
        *_about_access(before, after),
        *_about_mode(before, after),
        *_about_tags(before, after),
    )


def _about_network(registry: Registry, before: Settings, after: Settings, caller: str) -> Iterator[str]:
    if any(getattr(before, name) != getattr(after, name) for name in _NETWORK):
        yield from _about_ways_in(registry, before, after, caller)
    if (before.default_action, before.ip_rules) != (after.default_action, after.ip_rules):
        yield (
            "Rules for virtual networks (service endpoints, a preview) are not seen here, and may go: see them with "
            f"az acr network-rule list --name {registry.name} before and after."
        )
    for rule in sorted(set(after.ip_rules) - set(before.ip_rules)):
        yield from _about_rule(rule)
    if before.trusted_services and not after.trusted_services:
        yield (
            "Trusted Azure services, such as imports, ACR Tasks and Defender, are refused while the network is "
            "restricted."
        )


def _about_ways_in(registry: Registry, before: Settings, after: Settings, caller: str) -> Iterator[str]:
    approved = sum(end.state == "Approved" for end in registry.network.private_endpoints)
    if not after.public_access:
        if not approved:
            yield "There is no approved private endpoint: nobody can reach the registry then, this console included."
        elif before.public_access:
            yield (
                f"Only {approved} approved private {'endpoint leads' if approved == 1 else 'endpoints lead'} to it "
                "then: whoever is in none of their networks is shut out, this console included. IP rules count no more."
            )
        return
    if after.default_action != "Deny":
        if not before.public_access or before.default_action == "Deny":
            yield "Every network reaches it then: only signing in protects it, and IP rules do not count."
        elif before.ip_rules != after.ip_rules:
            yield "IP rules count only while no other network is let in."
        return
    if not after.ip_rules:
        yield (
            "There is no IP rule: only private endpoints lead to it then."
            if approved
            else "There is no IP rule and no approved private endpoint: nobody can reach the registry then."
        )
    elif not caller:
        yield (
            "Whoever comes from an address that the IP rules do not name is shut out: see that they name your own, "
            "your build agents' and your clusters'."
        )
    if caller and not is_allowed(caller, after.ip_rules):
        yield f"Your address {caller} is in none of the IP rules: you are shut out of its images, this console too."


def _about_rule(rule: str) -> Iterator[str]:
    try:
        one = IPv4Network(rule)
    except ValueError:
        return
    if one.prefixlen == 0:
        yield f"{rule} lets every address in."
    elif any(one.subnet_of(private) for private in _PRIVATE):
        yield f"{rule} is no public address: the registry sees public ones only, so that rule lets nobody in."


def is_address(text: str) -> bool:
    """Whether it is one IP address."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _about_data(registry: Registry, before: Settings, after: Settings) -> Iterator[str]:
    if after.data_endpoints and not before.data_endpoints:
        regions = [registry.location, *(replica.region for replica in registry.replicas or ())]
        name, _, suffix = registry.login_server.partition(".")
        hosts = ", ".join(f"{name}.{region}.data.{suffix}" for region in regions) if suffix else "the data endpoints"
        yield (
            f"Layers come from {hosts} then: firewalls that let clients out by name must allow that first, or pulls "
            "stop after the manifest."
        )
    if before.data_endpoints and not after.data_endpoints:
        yield (
            "Layers come from *.blob.core.windows.net then: firewalls that allow only the data endpoints stop pulls "
            "after the manifest."
        )
    if after.retention_days is not None and after.retention_days != before.retention_days:
        days = after.retention_days
        when = f"{days} days after it loses its last tag" if days else "as soon as it loses its last tag"
        yield (
            f"A manifest is deleted for good {when}, also where something still pulls it by its digest. Only Docker "
            "media types are covered, and only what is untagged from then on. Azure refuses it while soft delete "
            "(a preview) is on."
        )
    if before.retention_days is not None and after.retention_days is None:
        yield "Untagged manifests are kept for good then, and billed."


def _about_access(before: Settings, after: Settings) -> Iterator[str]:
    if after.admin_user and not before.admin_user:
        yield (
            "The admin user is one shared name with two passwords that do not expire: whoever holds one may push and "
            "delete everything, and the log names no person."
        )
    if before.admin_user and not after.admin_user:
        yield "Whatever signs in with the admin's password, a pipeline or a pull secret, is refused at once."
    if after.anonymous_pull and not before.anonymous_pull:
        who = "The whole world" if after.public_access and after.default_action != "Deny" else "Whoever reaches it"
        yield f"{who} can pull every image of every repository without signing in. All share one rate limit."
    if before.anonymous_pull and not after.anonymous_pull:
        yield "Whatever pulls without signing in is refused at once."
    if after.arm_audience_tokens and not before.arm_audience_tokens:
        yield "A token that leaks from any Azure tool then opens the registry too."
    if before.arm_audience_tokens and not after.arm_audience_tokens:
        yield "Older clients, and az aks check-acr, sign in with such tokens: they are refused then."


def _about_mode(before: Settings, after: Settings) -> Iterator[str]:
    if before.mode is after.mode:
        return
    if after.mode is Mode.ABAC:
        yield (
            "AcrPull, AcrPush and AcrDelete count no more, and Owner, Contributor and Reader no longer pull, push or "
            "delete: assign the repository roles first. The dry run of the switch says who loses what."
        )
    else:
        yield (
            "The repository roles and their conditions count no more. AcrPull, AcrPush and AcrDelete count again, and "
            "Owner, Contributor and Reader can pull, all for every repository."
        )
    yield (
        "Cached credentials become void: pulls and pushes may be refused for minutes to hours. Restarting pods is not "
        "enough: restart kubelet, or replace the nodes."
    )


def _about_tags(before: Settings, after: Settings) -> Iterator[str]:
    gone = sorted(dict(before.tags).keys() - dict(after.tags).keys())
    if gone:
        yield f"Cost reports and policies that go by {', '.join(gone)} no longer find the registry."
