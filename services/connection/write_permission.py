"""Whether a caller may change anything in Azure, and the transport that refuses changes where it may not."""

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


@dataclass(frozen=True)
class WritePermission:
    """Whether a caller may change anything. `refusal` says why not, in a sentence; "" where it may."""

    refusal: str = ""

    @property
    def allowed(self) -> bool:
        return not self.refusal


ALLOWED = WritePermission()


def only_reads(method: str, path: str) -> bool:
    """Whether a request of this method and URL path changes nothing. A POST does, unless it is known to read."""
    if method.upper() in _READING_METHODS:
        return True
    steps = path.rstrip("/")
    found = [*_READING_POSTS.finditer(steps)]
    return method.upper() == "POST" and bool(found) and found[-1].end() == len(steps)


class ReadOnlyTransport(HttpTransport[Any, Any]):
    """Sends through `transport` what only reads, and refuses everything else before it is sent.

    `send` raises ServiceError (ReadOnly) with the permission's reason for what it refuses.
    """

    def __init__(self, transport: HttpTransport[Any, Any], permission: WritePermission) -> None:
        self._transport = transport
        self._permission = permission

    def send(self, request: Any, **options: Any) -> Any:
        if not only_reads(request.method, urlsplit(request.url).path):
            raise ServiceError(
                "The console is read-only",
                self._permission.refusal,
                "Nothing was sent. Open the console on the machine that it runs on, at http://localhost.",
                "ReadOnly",
            )
        return self._transport.send(request, **options)

    def sleep(self, duration: float) -> None:
        self._transport.sleep(duration)

    def open(self) -> None:
        self._transport.open()

    def close(self) -> None:
        self._transport.close()

    def __enter__(self) -> "ReadOnlyTransport":
        self.open()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        self.close()
