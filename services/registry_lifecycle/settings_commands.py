"""The `az` lines that change exactly what a settings plan changes, in an order that works."""

from collections.abc import Collection

from services.commands import settings as az_settings
from services.registries.registry import Mode, Registry
from services.registry_lifecycle.settings import Settings, sort_ip_rules


def settings_lines(registry: Registry, wanted: Settings, fields: Collection[str]) -> tuple[str, ...]:
    """The `az` lines that give `registry` the settings named in `fields` as they are in `wanted`, and no others."""
    name = registry.name
    options: list[str] = []
    if "public_access" in fields:
        options += ["--public-network-enabled", _flag(wanted.public_access)]
    # az sets the default action to Deny when it turns public access off: the line states what it should be.
    if "default_action" in fields or ("public_access" in fields and not wanted.public_access):
        options += ["--default-action", wanted.default_action]
    for field, option in _OPTIONS.items():
        if field in fields:
            options += [option, _flag(getattr(wanted, field))]
    if "mode" in fields:
        options += ["--role-assignment-mode", "rbac-abac" if wanted.mode is Mode.ABAC else "rbac"]
    if "tags" in fields:
        options += ["--tags", *(f"{tag}={value}" for tag, value in wanted.tags)] if wanted.tags else ["--tags", ""]
    lines = [az_settings.update_registry(name, *options)] if options else []
    if "ip_rules" in fields:
        current = registry.network.ip_rules
        lines += [
            az_settings.add_network_rule(name, rule) for rule in wanted.ip_rules if rule not in sort_ip_rules(current)
        ]
        # az finds a rule to remove by its stored text only.
        lines += [az_settings.remove_network_rule(name, rule) for rule in current if _is_removed(rule, wanted)]
    if "retention_days" in fields:
        days = wanted.retention_days
        lines.append(az_settings.disable_retention(name) if days is None else az_settings.enable_retention(name, days))
    if "soft_delete_days" in fields:
        kept = wanted.soft_delete_days
        lines.append(az_settings.enable_soft_delete(name, kept) if kept else az_settings.disable_soft_delete(name))
    if "arm_audience_tokens" in fields:
        accept = wanted.arm_audience_tokens
        lines.append(
            az_settings.accept_arm_audience_tokens(name) if accept else az_settings.refuse_arm_audience_tokens(name)
        )
    return tuple(lines)


_OPTIONS = {
    "trusted_services": "--allow-trusted-services",
    "data_endpoints": "--data-endpoint-enabled",
    "admin_user": "--admin-enabled",
    "anonymous_pull": "--anonymous-pull-enabled",
}


def _flag(on: bool) -> str:
    return "true" if on else "false"


def _is_removed(rule: str, wanted: Settings) -> bool:
    return not set(sort_ip_rules((rule,))) & set(wanted.ip_rules)
