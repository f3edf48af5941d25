"""The `az` lines about webhooks, replications, scope maps and tokens."""

import re
import shlex

from services.commands.shell import shell_line


def list_webhooks(registry: str) -> str:
    """The registry's webhooks, without their addresses."""
    return shell_line("az", "acr", "webhook", "list", "--registry", registry, "--output", "table")


def add_webhook(
    registry: str,
    webhook: str,
    actions: tuple[str, ...],
    location: str,
    *,
    scope: str = "",
    enabled: bool = True,
    header_names: tuple[str, ...] = (),
) -> str:
    """Adds a webhook. Its address, which may have a key, is taken from SERVICE_URI, and the value of a header such as
    X-Key from HEADER_X_KEY, so that no history keeps them."""
    words = ["--actions", *actions]
    words += ["--location", location, *(["--scope", scope] if scope else [])]
    words += [] if enabled else ["--status", "disabled"]
    values = (f'{shlex.quote(f"{name}=")}"$HEADER_{re.sub("[^A-Z0-9]", "_", name.upper())}"' for name in header_names)
    headers = f" --headers {' '.join(values)}" if header_names else ""
    return f'{shell_line(*_webhook("create", registry, webhook))} --uri "$SERVICE_URI" {shell_line(*words)}{headers}'


def set_webhook_status(registry: str, webhook: str, status: str) -> str:
    """`status` is enabled or disabled."""
    return shell_line(*_webhook("update", registry, webhook), "--status", status)


def ping_webhook(registry: str, webhook: str) -> str:
    """Has Azure call the webhook's address once."""
    return shell_line(*_webhook("ping", registry, webhook))


def list_webhook_events(registry: str, webhook: str) -> str:
    """The webhook's last calls, and what its address answered."""
    return shell_line(*_webhook("list-events", registry, webhook))


def show_webhook_config(registry: str, webhook: str) -> str:
    """Where the webhook calls, and its headers with their values."""
    return shell_line(*_webhook("get-config", registry, webhook))


def remove_webhook(registry: str, webhook: str) -> str:
    """Removes a webhook; az does not ask."""
    return shell_line(*_webhook("delete", registry, webhook))


def _webhook(verb: str, registry: str, webhook: str) -> tuple[str, ...]:
    return ("az", "acr", "webhook", verb, "--registry", registry, "--name", webhook)


def list_replicas(registry: str) -> str:
    """The registry's regions and their state."""
    return shell_line("az", "acr", "replication", "list", "--registry", registry, "--output", "table")


def add_replica(registry: str, region: str) -> str:
    """Copies the registry to another region (Premium)."""
    return shell_line("az", "acr", "replication", "create", "--registry", registry, "--location", region)


def remove_replica(registry: str, replica: str) -> str:
    """Gives a region up; az does not ask."""
    return shell_line("az", "acr", "replication", "delete", "--registry", registry, "--name", replica)


def list_tokens(registry: str) -> str:
    """The registry's tokens, without their passwords."""
    return shell_line("az", "acr", "token", "list", "--registry", registry, "--output", "table")


def list_scope_maps(registry: str) -> str:
    """What tokens may do in which repositories, those of the registry itself among it."""
    return shell_line("az", "acr", "scope-map", "list", "--registry", registry, "--output", "table")


def add_scope_map(
    registry: str, scope_map: str, repositories: tuple[str, ...], rights: tuple[str, ...], description: str
) -> str:
    """The same `rights` (content/read and the like) in each of the repositories."""
    words = ["az", "acr", "scope-map", "create", "--registry", registry, "--name", scope_map]
    words += [word for repository in repositories for word in ("--repository", repository, *rights)]
    return shell_line(*words, "--description", description)


def remove_scope_map(registry: str, scope_map: str) -> str:
    """Removes a scope map; az asks before it does."""
    return shell_line("az", "acr", "scope-map", "delete", "--registry", registry, "--name", scope_map)


def add_token(registry: str, token: str, scope_map: str) -> str:
    """A token that has no password yet."""
    return shell_line(*_token("create", registry, token), "--scope-map", scope_map, "--no-passwords", "true")


def generate_token_password(registry: str, token: str, password: str, days: int | None) -> str:
    """`password` is password1 or password2: the one that is there under this name ends. `days` None: no end."""
    words = ("az", "acr", "token", "credential", "generate", "--registry", registry, "--name", token, f"--{password}")
    return shell_line(*words, *(("--expiration-in-days", str(days)) if days else ()))


def set_token_status(registry: str, token: str, scope_map: str, status: str) -> str:
    """`status` is enabled or disabled. Without its scope map named, az would take it from the token."""
    return shell_line(*_token("update", registry, token), "--scope-map", scope_map, "--status", status)


def remove_token(registry: str, token: str) -> str:
    """Removes a token with its passwords; az asks before it does."""
    return shell_line(*_token("delete", registry, token))


def _token(verb: str, registry: str, token: str) -> tuple[str, ...]:
    return ("az", "acr", "token", verb, "--registry", registry, "--name", token)
