"""What a caller may change in Azure, and the transport that refuses the rest."""

import json
import re
from dataclasses import dataclass
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from azure.core.pipeline.transport import HttpTransport

from services.connection.errors import ServiceError

_READING_METHODS = ("GET", "HEAD", "OPTIONS")
# The POSTs that read: tokens of a registry; questions to Resource Manager, Cost Management and Graph.
_READING_POSTS = re.compile(
    r"/oauth2/(exchange|token)"
    r"|/(checkNameAvailability|checkPolicyRestrictions|listEvents|getMemberGroups|directoryObjects/getByIds)"
    r"|/providers/Microsoft\.CostManagement/query",
    re.IGNORECASE,
)


# Where roles, tokens and scope maps of a registry, and its credentials are written or shown.
_ACCESS_PATH = re.compile(
    r"/providers/Microsoft\.Authorization/"
    r"|/registries/[^/]+/(tokens|scopeMaps|generateCredentials|regenerateCredential|listCredentials)(/|$)",
    re.IGNORECASE,
)
_REGISTRY = re.compile(r"/providers/Microsoft\.ContainerRegistry/registries/[^/]+/?$", re.IGNORECASE)
# Members of a registry that give access past roles.
_ROLELESS_ACCESS = ("adminUserEnabled", "anonymousPullEnabled")
_AT_HOME = "Open the console on the machine that it runs on, at http://localhost."


@dataclass(frozen=True)
class WritePermission:
    """What a caller may change. `refusal` says in a sentence why nothing, `access_refusal` why nobody's access: role
    assignments, tokens, passwords, the admin user. Each is "" where it may. `remedy`: what to do then."""

    refusal: str = ""
    access_refusal: str = ""
    remedy: str = _AT_HOME

    @property
    def allowed(self) -> bool:
        """Whether it may change anything at all."""
        return not self.refusal

    @property
    def access_reason(self) -> str:
        """Why access may not be changed, "" where it may."""
        return self.refusal or self.access_refusal

    @property
    def error(self) -> ServiceError:
        """The refusal of every change, as it is raised."""
        return ServiceError("The console is read-only", self.refusal, f"Nothing was sent. {self.remedy}", "ReadOnly")

    @property
    def access_error(self) -> ServiceError:
        """The refusal of a change of access, as it is raised."""
        if self.refusal:
            return self.error
        title = "This console does not change access"
        return ServiceError(title, self.access_refusal, f"Nothing was sent. {self.remedy}", "AccessRefused")


ALLOWED = WritePermission()


def only_reads(method: str, path: str) -> bool:
    """Whether a request of this method and URL path changes nothing. A POST does, unless it is known to read."""
    if method.upper() in _READING_METHODS:
        return True
    steps = path.rstrip("/")
    found = [*_READING_POSTS.finditer(steps)]
    return method.upper() == "POST" and bool(found) and found[-1].end() == len(steps)


def changes_access(method: str, path: str, body: object) -> bool:
    """Whether a request that writes changes who may do what. A registry's body that can't be read counts as one."""
    if _ACCESS_PATH.search(path):
        return True
    if method.upper() not in ("PUT", "PATCH") or not _REGISTRY.search(path):
        return False
    try:
        sent = json.loads(body if isinstance(body, str | bytes) else "")
        properties = sent.get("properties") or {}
        if method.upper() == "PUT":  # A new registry, which has none yet that this could change.
            return any(properties.get(name) for name in _ROLELESS_ACCESS)
        return any(name in properties for name in (*_ROLELESS_ACCESS, "roleAssignmentMode"))
    except (AttributeError, TypeError, ValueError):
        return True


class LimitedTransport(HttpTransport[Any, Any]):
    """Sends through `transport` what the permission allows, and refuses everything else before it is sent.

    `send` raises ServiceError (ReadOnly, AccessRefused) with the permission's reason for what it refuses.
    """

    def __init__(self, transport: HttpTransport[Any, Any], permission: WritePermission) -> None:
        self._transport = transport
        self._permission = permission

    def send(self, request: Any, **options: Any) -> Any:
        path = urlsplit(request.url).path
        if not only_reads(request.method, path):
            if self._permission.refusal:
                raise self._permission.error
            if changes_access(request.method, path, _body_of(request)):
                raise self._permission.access_error
        return self._transport.send(request, **options)

    def sleep(self, duration: float) -> None:
        self._transport.sleep(duration)

    def open(self) -> None:
        self._transport.open()

    def close(self) -> None:
        self._transport.close()

    def __enter__(self) -> "LimitedTransport":
        self.open()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        self.close()


def _body_of(request: Any) -> object:
    """azure-core has two kinds of requests."""
    return request.content if hasattr(request, "content") else request.data
