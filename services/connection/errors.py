"""One error type for everything that can go wrong: what happened, why, and what to do next.

Azure answers failures in seven shapes (ARM with and without an envelope, JSON inside a JSON string, the
registry's `errors` list, transport failures, sign-in failures, bodies that are no JSON). All become
`ServiceError`. The SDK leaves `exc.error` None for registry bodies, so the body is read here.
"""

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from decimal import InvalidOperation
from typing import Any, TypeVar

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    DecodeError,
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseError,
)

from services.connection.policy_violations import policy_violations

Found = TypeVar("Found")

_LOG = logging.getLogger(__name__)

# What converting an answer of another shape than expected may raise.
MALFORMED = (AttributeError, LookupError, TypeError, ValueError, OverflowError, InvalidOperation, RecursionError)


@dataclass(eq=False)
class ServiceError(Exception):
    """`title` says what was tried, `cause` why it failed, `remedy` what to do next.

    `code` is Azure's own (or one of ours: NoCredential, NotTrusted, Unreachable, ConnectionLost, NotJson, PagesRepeat,
    TooManyPages, TooLarge, TooSlow, ManifestNotAccepted, SignInNeeded),
    `status` the HTTP status where there was an answer, `request_id` what Microsoft's support asks for.
    """

    title: str
    cause: str
    remedy: str
    code: str = ""
    status: int | None = None
    request_id: str = ""

    def __str__(self) -> str:
        tail = f" ({self.status} {self.code})" if self.status else f" ({self.code})" if self.code else ""
        return f"{self.title}: {self.cause}{tail}"


# The code of an error that is over once the person signs in again.
SIGN_IN_NEEDED = "SignInNeeded"


class LimitExceeded(AzureError):
    """An answer that is larger, slower or longer than the console takes. Asked for again, it would be the same."""

    def __init__(self, cause: str, remedy: str, code: str) -> None:
        super().__init__(cause)
        self.remedy = remedy
        self.code = code


class SignInNeeded(ClientAuthenticationError):
    """Entra wants the person: the sign-in ended or was revoked, or a policy asks for more, as `claims` say."""

    def __init__(self, cause: str, *, claims: str | None = None) -> None:
        super().__init__(message=cause)
        self.claims = claims


def is_denied(error: ServiceError) -> bool:
    """Whether Azure answered that this identity may not, or that there is nothing: asked again, it answers the same."""
    return error.status in (401, 403, 404)


def says_gone(error: ServiceError) -> bool:
    """Whether the registry itself says that there is no such thing. A 404 without such a code is some proxy's, and
    proves nothing."""
    return error.status == 404 and error.code in ("TAG_UNKNOWN", "MANIFEST_UNKNOWN", "NAME_UNKNOWN")


def says_not_found(error: ServiceError) -> bool:
    """Whether Resource Manager itself says that there is no such resource: ResourceNotFound, RoleAssignmentNotFound and
    the like. A subscription may be hidden from this identity, and an operation forgotten: neither proves anything."""
    unproven = ("SubscriptionNotFound", "OperationNotFound")
    return error.status == 404 and error.code.endswith("NotFound") and error.code not in unproven


# One code of the registry's, DENIED, for two causes: its network rules name the address instead of this.
_ACCESS_DENIED = "requested access to the resource is denied"


def lacks_registry_role(error: ServiceError) -> bool:
    """Whether a registry's data plane refuses for want of a role, and not by its network rules."""
    return error.status == 401 or (error.code == "DENIED" and _ACCESS_DENIED in error.cause.casefold())


def if_there(read: Callable[[], Found], is_gone: Callable[[ServiceError], bool]) -> Found | None:
    """What `read` returns; None where Azure itself says that there is no such thing, as `is_gone` tells."""
    try:
        return read()
    except ServiceError as error:
        if is_gone(error):
            return None
        raise


@dataclass(frozen=True)
class _Answer:
    """What a failed answer's body and headers say."""

    status: int | None
    code: str = ""
    message: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


_SIGN_IN = "Sign in again (`az login`), or check the identity that the console runs as."
_ASK_ROLE = "Ask an owner of the scope for a role that allows it; docs/permissions.md has the roles for each page."

_ASK_REGISTRY_ROLE = (
    "The identity has no role on this registry that allows it. Legacy mode: AcrPull to read, AcrPush to push, "
    "AcrDelete to delete; ABAC mode: Container Registry Repository Reader, Writer or Contributor, and Catalog Lister "
    "for the list of repositories."
)

# Codes: https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors,
# https://learn.microsoft.com/azure/container-registry/container-registry-troubleshoot-access and
# https://learn.microsoft.com/rest/api/containerregistry/
_REMEDIES = {
    "AuthorizationFailed": _ASK_ROLE,
    "LinkedAuthorizationFailed": _ASK_ROLE,
    "RequestDisallowedByPolicy": (
        "An Azure Policy forbids it, for everyone: choose what it allows, or ask the owner of its assignment for an "
        "exemption."
    ),
    "ResourceNotFound": "It may have been deleted or renamed since the list was read: refresh the list.",
    "ResourceGroupNotFound": "The resource group may have been deleted: refresh the list.",
    "SubscriptionNotFound": "The subscription is gone or not in this tenant: check the tenant in the sidebar.",
    "ReadOnlyDisabledSubscription": (
        "The subscription is disabled, and read-only until it is enabled again: ask its owner or billing administrator."
    ),
    "ScopeLocked": "A lock on the resource forbids it: have it removed first.",
    "MissingSubscriptionRegistration": (
        "Register the provider once: `az provider register --namespace Microsoft.ContainerRegistry`."
    ),
    "ResourceGroupBeingDeleted": (
        "The resource group is being deleted with all that is in it: choose another, or wait until it is gone."
    ),
    "InvalidResourceGroupLocation": "The resource group is there already, in another location: choose it as it is.",
    "LocationNotAvailableForResourceType": "Choose one of the locations that Azure names above.",
    "LocationNotAvailableForResourceGroup": "Choose another location for the resource group.",
    "AlreadyInUse": "Names of registries are taken all over Azure, by anyone: choose another.",
    "ReservedResourceName": "Choose a name without the reserved word.",
    "InvalidRegistryName": "Choose a name of 5 to 50 letters and digits.",
    "SkuNotSupported": "Leave out what the SKU lacks, or choose a larger one: see the SKU comparison.",
    "InvalidAuthenticationTokenTenant": "The token is of another tenant: sign in to the subscription's tenant.",
    "ExpiredAuthenticationToken": _SIGN_IN,
    "InvalidAuthenticationToken": _SIGN_IN,
    "UNAUTHORIZED": _ASK_REGISTRY_ROLE,
    "DENIED": (
        "The registry's network rules refuse this address: run the console inside the network, "
        "or have the address added to the registry's IP rules."
    ),
    "NAME_UNKNOWN": "The repository may have been deleted meanwhile: refresh the list.",
    "MANIFEST_UNKNOWN": "The tag or digest may have been deleted meanwhile: refresh the list.",
    "ManifestNotAccepted": "The registry has it, in a format that this console does not read: read it with `oras`.",
    "TAG_UNKNOWN": "The tag may have been deleted meanwhile: refresh the list.",
    "BLOB_UNKNOWN": "The registry lists this blob and does not have it: push the image again.",
    "REGISTRY_DISALLOWED_OPERATION": (
        "A lock, the quarantine or the storage limit forbids it: see the locks of the repository, tag and digest."
    ),
}


# Cost Management has budgets of its own, and names each: the longest counts.
# https://learn.microsoft.com/azure/cost-management-billing/automate/get-small-usage-datasets-on-demand
_WAITS = (
    "Retry-After",
    *(f"x-ms-ratelimit-microsoft.costmanagement-{of}-retry-after" for of in ("qpu", "entity", "tenant", "clienttype")),
)


def seconds_to_wait(headers: Mapping[str, str]) -> int | None:
    """The seconds that a throttled answer says to wait; None where it names none."""
    waits = [str(headers.get(name) or "") for name in _WAITS]
    return max((int(seconds) for seconds in waits if seconds.isdecimal()), default=None)


def _remedy(answer: _Answer) -> str:
    if answer.code == "DENIED" and _ACCESS_DENIED in answer.message.casefold():
        return _ASK_REGISTRY_ROLE
    if answer.code in _REMEDIES:
        return _REMEDIES[answer.code]
    if "quota" in answer.code.casefold():  # Providers call it QuotaExceeded, SubscriptionQuotaExceeded and more.
        return "A quota is used up: delete what is not needed, use another subscription, or ask Azure support for more."
    match answer.status:
        case 401:
            return _SIGN_IN
        case 403:
            return _ASK_ROLE
        case 404:
            return "It may have been deleted meanwhile: refresh the list."
        case 429:
            wait = seconds_to_wait(answer.headers)
            return f"Azure throttles: try again {f'in {wait} s' if wait else 'in a minute'}."
        case status if status is not None and status >= 500:
            return "Azure's fault, and it was retried: try again in a minute, then see status.azure.com."
    return "Read what Azure said above; with the request id, Microsoft's support can look it up."


def _error_member(body: Any) -> tuple[str, str]:
    """Code and message from any of the shapes that Azure uses."""
    if isinstance(body, str):
        try:
            return _error_member(json.loads(body))
        except (ValueError, RecursionError):
            return "", body
    if not isinstance(body, dict):
        return "", ""
    errors = body.get("errors")
    if isinstance(errors, list) and errors and isinstance(errors[0], dict):
        return str(errors[0].get("code") or ""), str(errors[0].get("message") or "")
    envelope = body.get("error", body)
    if isinstance(envelope, str):  # sign-in endpoints: {"error": "invalid_client", "error_description": …}
        return envelope, str(body.get("error_description") or "")
    if isinstance(envelope, dict):
        code, message = str(envelope.get("code") or ""), str(envelope.get("message") or "")
        details = envelope.get("details")
        if message or not isinstance(details, list):
            return code, message
        found = [(inner, text) for inner, text in map(_error_member, details) if text]
        return code or next((inner for inner, _ in found), ""), "\n".join(text for _, text in found)
    return "", ""


def _read(exc: HttpResponseError) -> _Answer:
    response = exc.response
    if response is None:
        return _Answer(exc.status_code, "", exc.message)
    try:
        if hasattr(response, "read"):  # A streamed answer's body is not there yet.
            response.read()
        text = response.text()
    except (AttributeError, ValueError, AzureError):
        text = ""
    try:
        body = json.loads(text) if text else ""
        code, message = _error_member(body)
        message = "\n".join((message, *policy_violations(body)))
    except (ValueError, RecursionError):
        code, message = "", text[:300]
    return _Answer(response.status_code, code, message, getattr(response, "headers", {}))


def request_id(headers: Mapping[str, str]) -> str:
    """The id that Microsoft's support asks for, or ''."""
    for name in ("x-ms-correlation-request-id", "x-ms-request-id", "x-ms-client-request-id"):
        if value := headers.get(name):
            return str(value)
    return ""


def _from_http(title: str, exc: HttpResponseError) -> ServiceError:
    answer = _read(exc)
    said = answer.message.strip() or "Azure gave no reason."
    if answer.code == "MANIFEST_UNKNOWN" and "accept header" in said.casefold():
        # It is there, in a format that the request did not name: https://github.com/Azure/azure-cli/issues/24976
        answer = replace(answer, code="ManifestNotAccepted")
    return ServiceError(title, said, _remedy(answer), answer.code, answer.status, request_id(answer.headers))


def _from_transport(title: str, exc: AzureError) -> ServiceError:
    text = str(exc)
    if "CERTIFICATE_VERIFY_FAILED" in text or "SSLError" in text:
        return ServiceError(
            title,
            "The server's certificate is not trusted.",
            "Behind a proxy that inspects TLS, set ACR_CONSOLE_CA_FILE to the company's CA certificates.",
            "NotTrusted",
        )
    if isinstance(exc, ServiceResponseError):
        return ServiceError(
            title,
            "The connection was lost before the answer was complete.",
            "It was retried. Check the network or the proxy, then refresh.",
            "ConnectionLost",
        )
    return ServiceError(
        title,
        "The server could not be reached: no such name, no route, or nothing listens there.",
        "Check the network, the proxy and DNS; a registry behind private endpoints needs the private network.",
        "Unreachable",
    )


def from_azure(title: str, exc: AzureError) -> ServiceError:
    """`exc` as a ServiceError under `title`. Sign-in, transport, decoding and HTTP failures alike."""
    if isinstance(exc, LimitExceeded):
        return ServiceError(title, exc.message, exc.remedy, exc.code)
    if isinstance(exc, DecodeError):
        return ServiceError(
            title,
            "The answer is not JSON.",
            "A proxy or a login page may be answering instead of Azure: check the network.",
            "NotJson",
            exc.status_code,
        )
    if isinstance(exc, SignInNeeded):
        return ServiceError(title, exc.message, "Sign in again: this page opens again afterwards.", SIGN_IN_NEEDED)
    if isinstance(exc, ClientAuthenticationError) and exc.response is None:
        if isinstance(exc.__cause__, LimitExceeded | ServiceRequestError | ServiceResponseError):
            return from_azure(title, exc.__cause__)  # It is not about who signs in.
        return ServiceError(
            title,
            exc.message.strip().splitlines()[0] if exc.message.strip() else "No credential could sign in.",
            "Run `az login`, or configure a managed identity or a service principal (README, Connect to Azure).",
            "NoCredential",
        )
    if isinstance(exc, HttpResponseError):
        return _from_http(title, exc)
    if isinstance(exc, ServiceRequestError | ServiceResponseError):
        return _from_transport(title, exc)
    return ServiceError(title, str(exc), "Try again; with the request id, Microsoft's support can look it up.")


def fault_of(exc: Exception) -> str:
    """What is wrong with an answer whose conversion raised `exc`, one of `MALFORMED`, as part of a sentence."""
    if isinstance(exc, KeyError):
        return f"{exc} is missing"
    if isinstance(exc, RecursionError):
        return "it is nested too deeply"
    if isinstance(exc, AttributeError | TypeError | IndexError):
        return f"something in it is missing or of an unexpected type ({exc})"
    return str(exc) or type(exc).__name__


@contextmanager
def as_service_error(title: str) -> Iterator[None]:
    """Runs SDK calls and reads their answers; whatever Azure error leaves them becomes a ServiceError under `title`.

    So does an answer that cannot be understood: any of `MALFORMED` from within is taken for one, and logged.
    """
    try:
        yield
    except AzureError as exc:
        raise from_azure(title, exc) from exc
    except MALFORMED as exc:
        _LOG.warning("%s: the answer could not be understood", title, exc_info=exc)
        raise ServiceError(
            title,
            f"The answer could not be understood: {fault_of(exc)}.",
            "A proxy may be answering instead of Azure: check the network. If it comes again, report it with the log.",
            "BadAnswer",
        ) from exc
