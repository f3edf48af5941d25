"""What a new webhook may look like: its name, address, headers, scope and how many a SKU lets a registry have."""

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from services.connection.errors import ServiceError
from services.connection.names import is_tag, require_repository
from services.registries.registry import Registry
from services.registries.skus import LIMITS, sku_of

# https://learn.microsoft.com/azure/container-registry/container-registry-webhook-reference
ACTIONS = {
    "push": "an image or another artifact is pushed, or tagged again",
    "delete": "a manifest or a repository is deleted; a tag that is removed makes no event",
    "quarantine": "an image is put in quarantine, where the registry's quarantine policy is on",
    "chart_push": "a chart is pushed by the retired az acr helm; charts pushed by helm itself are a push",
    "chart_delete": "a chart is deleted by the retired az acr helm",
}
# https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules#microsoftcontainerregistry
_NAME = re.compile(r"[A-Za-z0-9]{5,50}")
# https://www.rfc-editor.org/rfc/rfc9110#name-tokens
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


@dataclass(frozen=True)
class NewWebhook:
    """A webhook as it is to be. `scope` "": everything. The values of `headers` are secrets, and are never shown."""

    name: str
    service_uri: str
    actions: tuple[str, ...]
    location: str
    scope: str = ""
    enabled: bool = True
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    @property
    def header_names(self) -> tuple[str, ...]:
        return tuple(name for name, _value in self.headers)


def objections(registry: Registry, taken: tuple[str, ...], wanted: NewWebhook) -> tuple[str, ...]:
    """Why Azure would not take it, each a sentence. `taken`: the names of the registry's webhooks."""
    return tuple(_about_registry(registry, len(taken))) + tuple(_about_webhook(registry, taken, wanted))


def _about_registry(registry: Registry, there: int) -> list[str]:
    found: list[str] = []
    sku = sku_of(registry.sku)
    if sku is None:
        found.append(f"A {registry.sku} registry has no webhooks.")
    elif there >= LIMITS[sku].webhooks:
        found.append(f"{sku} has at most {LIMITS[sku].webhooks} webhooks, and there are {there}.")
    return found


def _about_webhook(registry: Registry, taken: tuple[str, ...], wanted: NewWebhook) -> list[str]:
    found: list[str] = []
    if not _NAME.fullmatch(wanted.name):
        found.append("Its name must be 5 to 50 letters or digits.")
    elif wanted.name.casefold() in {name.casefold() for name in taken}:
        found.append(f"There is a webhook {wanted.name} already.")
    if not _is_address(wanted.service_uri):
        found.append("Its address must be a whole URL: https://, a host, and what follows it.")
    if not wanted.actions:
        found.append("Choose an action: without one it would never be called.")
    found += [f"There is no action {action}." for action in wanted.actions if action not in ACTIONS]
    if not is_scope(wanted.scope):
        found.append("Its scope must be empty, a repository, repository:tag, or repository:* for all of its tags.")
    regions = regions_of(registry)
    if wanted.location not in regions:
        found.append(f"The registry is not in {wanted.location}: choose {' or '.join(regions)}.")
    names = [name.casefold() for name in wanted.header_names]
    if not all(map(_HEADER.fullmatch, wanted.header_names)):
        found.append("The name of a header holds letters, digits and dashes only.")
    elif len(set(names)) < len(names):
        found.append("A header is there twice.")
    if any(not value.isprintable() for _name, value in wanted.headers):
        found.append("The value of a header must be one line.")
    return found


def warnings_about(registry: Registry, wanted: NewWebhook) -> tuple[str, ...]:
    """What to know before it is added, each a sentence."""
    found: list[str] = []
    if registry.unsettled:
        found.append(f"{registry.unsettled}.")
    address = urlsplit(wanted.service_uri) if _is_address(wanted.service_uri) else None
    if address and address.scheme == "http":
        found.append("http is not encrypted: whoever is on the way reads what is pushed, and the headers. Use https.")
    if address and address.username is not None:
        found.append("The address has a user or a password in it: put it into a header instead.")
    if wanted.scope and ":" not in wanted.scope and is_scope(wanted.scope):
        found.append(f"{wanted.scope} alone means {wanted.scope}:latest. {wanted.scope}:* is all of its tags.")
    if "delete" in wanted.actions and ":" in wanted.scope and not wanted.scope.endswith(":*"):
        found.append("A deletion names a digest and no tag: it may not match the scope of one tag.")
    if any(action.startswith("chart") for action in wanted.actions):
        found.append("chart_push and chart_delete are of the retired az acr helm: choose push for charts in OCI form.")
    if not wanted.enabled:
        found.append("It is added disabled: it is not called until it is enabled.")
    return tuple(found)


def regions_of(registry: Registry) -> tuple[str, ...]:
    """Where a webhook of the registry may be: it hears what happens in its own region.

    https://learn.microsoft.com/azure/container-registry/container-registry-geo-replication
    """
    return (registry.location, *(replica.region for replica in registry.replicas or ()))


def is_scope(scope: str) -> bool:
    """Whether it is "", a repository, `repository:tag` or `repository:*`."""
    if not scope:
        return True
    repository, colon, tag = scope.partition(":")
    try:
        require_repository("", repository)
    except ServiceError:
        return False
    return not colon or tag == "*" or is_tag(tag)


def _is_address(text: str) -> bool:
    if not text.isprintable() or " " in text:
        return False
    try:
        address = urlsplit(text)
        port = address.port
    except ValueError:
        return False
    return address.scheme in ("http", "https") and bool(address.hostname) and port != 0
