"""The settings of a registry: as values, as text, and parsed from what people type."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from ipaddress import IPv4Network, ip_network
from typing import Any

from services.arm.resource_tags import Tags
from services.connection.errors import ServiceError
from services.registries.registry import Mode, Registry
from services.wording import counted

# https://learn.microsoft.com/azure/container-registry/container-registry-skus#registry-features-and-limits
MOST_IP_RULES = 200
# https://learn.microsoft.com/azure/container-registry/container-registry-retention-policy
MOST_RETENTION_DAYS = 365
# https://learn.microsoft.com/azure/container-registry/container-registry-soft-delete-policy
MOST_SOFT_DELETE_DAYS = 90


@dataclass(frozen=True)
class Settings:
    """`ip_rules` apply while public access is on and `default_action` is Deny; each is an IPv4 address or a range in
    CIDR notation, in the order of addresses. `retention_days` None: untagged manifests are kept. `tags` are
    those of the Azure resource, by name. `soft_delete_days`: what is deleted can be restored for so long, 0 where soft
    delete is off, None where that is unknown and is left as it is."""

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
    soft_delete_days: int | None = None


def settings_of(registry: Registry) -> Settings:
    """The settings that a registry has."""
    network, access = registry.network, registry.access
    return Settings(
        public_access=network.public_access,
        default_action=network.default_action,
        ip_rules=sort_ip_rules(network.ip_rules),
        trusted_services=network.trusted_services,
        data_endpoints=bool(network.data_endpoints),
        admin_user=access.admin_user,
        anonymous_pull=access.anonymous_pull,
        arm_audience_tokens=access.arm_audience_tokens,
        mode=access.mode,
        retention_days=access.retention_days,
        tags=tuple(sorted(registry.tags)),
        soft_delete_days=registry.soft_delete.days,
    )


# The value of each setting that a finding asks for (services/registries/findings.py).
_RECOMMENDED: dict[str, Any] = {
    "admin_user": False,
    "anonymous_pull": False,
    "default_action": "Deny",
    "arm_audience_tokens": False,
    "retention_days": 30,
}


def recommended(settings: Settings, field: str) -> Settings:
    """The settings with the value of one field that its finding asks for; unchanged where no finding has the field."""
    return replace(settings, **{field: _RECOMMENDED[field]}) if field in _RECOMMENDED else settings


def with_settings(registry: Registry, settings: Settings) -> Registry:
    """The registry with other settings; the names of its data endpoints are left as they are."""
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
    days = settings.soft_delete_days
    soft_delete = registry.soft_delete if days is None else replace(registry.soft_delete, days=days)
    return replace(registry, network=network, access=access, tags=settings.tags, soft_delete=soft_delete)


@dataclass(frozen=True)
class Difference:
    """A setting that differs: `field` is its name in Settings, the rest is text to show."""

    field: str
    label: str
    before: str
    after: str


def differences(before: Settings, after: Settings) -> tuple[Difference, ...]:
    """What differs, in the order of the settings."""
    return tuple(
        Difference(
            name, LABELS[name], _value_text(name, getattr(before, name)), _value_text(name, getattr(after, name))
        )
        for name in LABELS
        if getattr(before, name) != getattr(after, name) and not _is_unknown(name, before, after)
    )


def _is_unknown(name: str, before: Settings, after: Settings) -> bool:
    """Whether a setting is unknown on one side: it is not read, or not to be changed."""
    return name == "soft_delete_days" and None in (before.soft_delete_days, after.soft_delete_days)


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
    "soft_delete_days": "Soft delete",
}


def _switch(on: str, off: str) -> Callable[[Any], str]:
    return lambda value: on if value else off


_VALUE_TEXTS: dict[str, Callable[[Any], str]] = {
    "default_action": lambda action: "selected (IP rules)" if action == "Deny" else "all",
    "ip_rules": lambda rules: ", ".join(rules) or "none",
    "trusted_services": _switch("allowed", "not allowed"),
    "arm_audience_tokens": _switch("accepted", "refused"),
    "mode": lambda mode: f"{mode} ({'by repository' if mode is Mode.ABAC else 'for the whole registry'})",
    "soft_delete_days": lambda days: f"on, {counted(days, 'day')}" if days else "off",
    "retention_days": lambda days: "kept" if days is None else f"deleted after {days} days",
    "tags": lambda tags: ", ".join(f"{name}={value}" for name, value in tags) or "none",
}


def _value_text(name: str, value: Any) -> str:
    return _VALUE_TEXTS.get(name, _switch("on", "off"))(value)


def sort_ip_rules(rules: tuple[str, ...]) -> tuple[str, ...]:
    """IP rules in a form to compare: each once, in its shortest form, by address; what is no IPv4 range is last and
    unchanged."""
    ranges: set[IPv4Network] = set()
    others = []
    for rule in rules:
        try:
            ranges.add(IPv4Network(rule, strict=False))
        except ValueError:
            others.append(rule)
    return (*(_shortest_form(one) for one in sorted(ranges)), *sorted(set(others)))


def _shortest_form(one: IPv4Network) -> str:
    return str(one.network_address) if one.prefixlen == one.max_prefixlen else str(one)


def parse_ip_rules(text: str) -> tuple[str, ...]:
    """Addresses and CIDR ranges from typed text, separated by commas, spaces or lines.

    Raises ServiceError (InvalidAddress) for the first that is neither, is IPv6, or has host bits set.
    """
    return sort_ip_rules(tuple(_parse_ip_rule(word) for word in text.replace(",", " ").split()))


def _parse_ip_rule(word: str) -> str:
    title = f"{word} is not an IP rule"
    try:
        one = ip_network(word, strict=False)
    except ValueError:
        remedy = "Type addresses such as 203.0.113.7 or ranges such as 203.0.113.0/24, separated by commas or lines."
        raise ServiceError(title, "It is neither an address nor a range.", remedy, "InvalidAddress") from None
    if not isinstance(one, IPv4Network):
        # "Only IPV4 address is allowed": the SDK's IPRule.
        raise ServiceError(
            title, "The IP rules of a registry are IPv4 only.", "Give the IPv4 address.", "InvalidAddress"
        )
    try:
        ip_network(word)
    except ValueError:
        remedy = f"Type {one} for the range, or the address without the slash and what follows."
        raise ServiceError(title, f"It is an address within {one}.", remedy, "InvalidAddress") from None
    return _shortest_form(one)
