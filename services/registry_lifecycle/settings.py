"""What of a registry can be set: the settings as values, read from it, typed by people, and told in words."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from ipaddress import IPv4Network, ip_network
from typing import Any

from services.arm.resource_tags import Tags
from services.connection.errors import ServiceError
from services.registries.registry import Mode, Registry

# https://learn.microsoft.com/azure/container-registry/container-registry-skus#registry-features-and-limits
MOST_IP_RULES = 200
# https://learn.microsoft.com/azure/container-registry/container-registry-retention-policy
MOST_RETENTION_DAYS = 365


@dataclass(frozen=True)
class Settings:
    """`ip_rules` count while public access is on and `default_action` is Deny; each is an IPv4 address or a range in
    CIDR notation, in the order of addresses. `retention_days` None: untagged manifests are kept for good. `tags` are
    those of the Azure resource, by name."""

    public_access: bool
    default_action: str
    ip_rules: tuple[str, ...]
    trusted_services: bool
    data_endpoints: bool
    admin_user: bool
    anonymous_pull: bool
    arm_audience_tokens: bool
    mode: Mode
    retention_days: int | None
    tags: Tags


def settings_of(registry: Registry) -> Settings:
    """The settings that a registry has."""
    network, access = registry.network, registry.access
    return Settings(
        public_access=network.public_access,
        default_action=network.default_action,
        ip_rules=in_order(network.ip_rules),
        trusted_services=network.trusted_services,
        data_endpoints=bool(network.data_endpoints),
        admin_user=access.admin_user,
        anonymous_pull=access.anonymous_pull,
        arm_audience_tokens=access.arm_audience_tokens,
        mode=access.mode,
        retention_days=access.retention_days,
        tags=tuple(sorted(registry.tags)),
    )


def with_settings(registry: Registry, settings: Settings) -> Registry:
    """What the registry would be with other settings; the names of data endpoints stay those that are known."""
    network = replace(
        registry.network,
        public_access=settings.public_access,
        default_action=settings.default_action,
        ip_rules=settings.ip_rules,
        trusted_services=settings.trusted_services,
    )
    access = replace(
        registry.access,
        mode=settings.mode,
        admin_user=settings.admin_user,
        anonymous_pull=settings.anonymous_pull,
        arm_audience_tokens=settings.arm_audience_tokens,
        retention_days=settings.retention_days,
    )
    return replace(registry, network=network, access=access, tags=settings.tags)


@dataclass(frozen=True)
class Difference:
    """A setting that differs: `field` is its name in Settings, the rest is for people."""

    field: str
    label: str
    before: str
    after: str


def differences(before: Settings, after: Settings) -> tuple[Difference, ...]:
    """What differs, in the order of the settings."""
    return tuple(
        Difference(name, LABELS[name], _words(name, getattr(before, name)), _words(name, getattr(after, name)))
        for name in LABELS
        if getattr(before, name) != getattr(after, name)
    )


LABELS = {
    "public_access": "Public access",
    "default_action": "Networks",
    "ip_rules": "IP rules",
    "trusted_services": "Trusted Azure services",
    "data_endpoints": "Dedicated data endpoints",
    "admin_user": "Admin user",
    "anonymous_pull": "Anonymous pull",
    "arm_audience_tokens": "ARM tokens",
    "mode": "Permissions",
    "retention_days": "Untagged manifests",
    "tags": "Tags",
}


def _switch(on: str, off: str) -> Callable[[Any], str]:
    return lambda value: on if value else off


_WORDS: dict[str, Callable[[Any], str]] = {
    "default_action": lambda action: "the IP rules' only" if action == "Deny" else "all",
    "ip_rules": lambda rules: ", ".join(rules) or "none",
    "trusted_services": _switch("let in", "not let in"),
    "arm_audience_tokens": _switch("accepted", "refused"),
    "mode": lambda mode: f"{mode} ({'by repository' if mode is Mode.ABAC else 'for the whole registry'})",
    "retention_days": lambda days: "kept for good" if days is None else f"deleted after {days} days",
    "tags": lambda tags: ", ".join(f"{name}={value}" for name, value in tags) or "none",
}


def _words(name: str, value: Any) -> str:
    return _WORDS.get(name, _switch("on", "off"))(value)


def in_order(rules: tuple[str, ...]) -> tuple[str, ...]:
    """IP rules as they are compared: each once, in its shortest form, by address; what is no IPv4 range stays as it
    is, at the end."""
    ranges: set[IPv4Network] = set()
    others = []
    for rule in rules:
        try:
            ranges.add(IPv4Network(rule, strict=False))
        except ValueError:
            others.append(rule)
    return (*(_shortest(one) for one in sorted(ranges)), *sorted(set(others)))


def _shortest(one: IPv4Network) -> str:
    return str(one.network_address) if one.prefixlen == one.max_prefixlen else str(one)


def parse_ip_rules(text: str) -> tuple[str, ...]:
    """Addresses and CIDR ranges from typed text, divided by commas or spaces, one a line or not.

    Raises ServiceError (InvalidAddress) for the first that is none, is IPv6, or names an address within a range.
    """
    return in_order(tuple(_rule(word) for word in text.replace(",", " ").split()))


def _rule(word: str) -> str:
    title = f"{word} is no IP rule"
    try:
        one = ip_network(word, strict=False)
    except ValueError:
        remedy = "Type addresses such as 203.0.113.7 or ranges such as 203.0.113.0/24, divided by commas or lines."
        raise ServiceError(title, "It is no address and no range.", remedy, "InvalidAddress") from None
    if not isinstance(one, IPv4Network):
        # "Only IPV4 address is allowed": the SDK's IPRule.
        raise ServiceError(
            title, "The IP rules of a registry are IPv4 only.", "Give the IPv4 address.", "InvalidAddress"
        )
    try:
        ip_network(word)
    except ValueError:
        remedy = f"Type {one} for the range, or the address without what comes after the slash."
        raise ServiceError(title, f"It is an address within {one}.", remedy, "InvalidAddress") from None
    return _shortest(one)
