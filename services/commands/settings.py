"""The `az` lines that change a registry's settings."""

from services.commands.shell import shell_line


def update_registry(registry: str, *options: str) -> str:
    """Changes a registry: `options` are those of `az acr update`."""
    return shell_line("az", "acr", "update", "--name", registry, *options)


def enable_retention(registry: str, days: int) -> str:
    """Deletes manifests `days` after they lose their last tag (Premium)."""
    words = ("az", "acr", "config", "retention", "update", "--registry", registry, "--status", "enabled")
    return shell_line(*words, "--days", str(days), "--type", "UntaggedManifests")


def disable_retention(registry: str) -> str:
    """Keeps untagged manifests from then on."""
    words = ("az", "acr", "config", "retention", "update", "--registry", registry, "--status", "disabled")
    return shell_line(*words, "--type", "UntaggedManifests")


def enable_soft_delete(registry: str, days: int) -> str:
    """Keeps what is deleted for `days`, so that it can be restored (preview)."""
    words = ("az", "acr", "config", "soft-delete", "update", "--registry", registry, "--status", "enabled")
    return shell_line(*words, "--days", str(days))


def disable_soft_delete(registry: str) -> str:
    """Deletes at once from then on; what is kept already is purged after the days that were set."""
    return shell_line("az", "acr", "config", "soft-delete", "update", "--registry", registry, "--status", "disabled")


def add_network_rule(registry: str, address: str) -> str:
    """Lets an IPv4 address, or a range in CIDR notation, reach the registry (Premium)."""
    return shell_line("az", "acr", "network-rule", "add", "--name", registry, "--ip-address", address)


def remove_network_rule(registry: str, address: str) -> str:
    """Removes the rule that is written as `address` is."""
    return shell_line("az", "acr", "network-rule", "remove", "--name", registry, "--ip-address", address)


def refuse_arm_audience_tokens(registry: str) -> str:
    """The registry then takes only tokens made for registries."""
    words = ("az", "acr", "config", "authentication-as-arm", "update", "--registry", registry)
    return shell_line(*words, "--status", "disabled")


def accept_arm_audience_tokens(registry: str) -> str:
    """The registry then takes tokens made for Azure Resource Manager too."""
    words = ("az", "acr", "config", "authentication-as-arm", "update", "--registry", registry)
    return shell_line(*words, "--status", "enabled")
