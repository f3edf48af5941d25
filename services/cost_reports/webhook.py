"""A report posted to a webhook. Its address is a secret but for the host: whoever knows it may post there."""

import json
import logging
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from azure.core.exceptions import AzureError
from azure.core.rest import HttpRequest

from services.connection.errors import LimitExceeded, ServiceError
from services.connection.transport import BoundedTransport, pooled
from services.connection.version import USER_AGENT

# A webhook says little, and at once.
_LARGEST_ANSWER = 64 * 1024
CONNECT_S, ANSWER_S = 10, 30
_TITLE = "The report could not be posted"
_PATH = re.compile(r"(https?://[^/?\s]+)[/?]\S*")


def _without_path(record: logging.LogRecord) -> bool:
    """Leaves of addresses the host: urllib3 warns of headers that it can't read, with the whole address."""
    record.msg, record.args = _PATH.sub(r"\1/…", record.getMessage()), ()
    return True


logging.getLogger("urllib3.connection").addFilter(_without_path)


def host_of(address: str) -> str:
    """The host of a webhook's address: what of it may be shown. Raises ValueError, without the address, where it is
    none: https, a host, and no user or fragment."""
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host = ""
    else:
        if parts.scheme != "https" or "@" in parts.netloc or parts.fragment:
            host = ""
    if not host or any(character.isspace() or not character.isprintable() for character in address):
        raise ValueError("is no address of a webhook: https://HOST/…")
    return host


class _WebhookTransport(BoundedTransport):
    """It changes nothing in Azure, so that what is noted of changes has no address of a webhook."""

    may_change = False


def post_report(address: str, body: Mapping[str, Any], ca_file: str | None = None) -> None:
    """Posts `body` as JSON; returns once the webhook took it. Redirects are not followed. `ca_file` replaces the
    system's trust store. Raises ServiceError (NotPosted), never with the address but its host."""
    host = host_of(address)
    request = HttpRequest(
        "POST",
        address,
        headers={"Content-Type": "application/json; charset=utf-8", "User-Agent": USER_AGENT},
        content=json.dumps(body, ensure_ascii=False).encode(),
    )
    transport = pooled(_WebhookTransport, ca_file)
    try:
        with transport:
            answer = transport.send(
                request, largest=_LARGEST_ANSWER, connection_timeout=CONNECT_S, read_timeout=ANSWER_S
            )
            status = int(answer.status_code)
    except LimitExceeded as exc:
        raise _not_posted(host, f"Its answer was not taken: {exc.message}") from None
    except (AzureError, OSError, ValueError) as exc:
        # What they say has the address in it.
        raise _not_posted(host, f"It could not be reached ({type(exc).__name__}).") from None
    if 300 <= status < 400:
        raise _not_posted(host, f"It answered {status}: the console follows no redirect.", status)
    if not 200 <= status < 300:
        raise _not_posted(host, f"It answered {status}.", status)


def _not_posted(host: str, cause: str, status: int | None = None) -> ServiceError:
    remedy = "Check ACR_CONSOLE_REPORT_WEBHOOK, and whether it can be reached from here."
    return ServiceError(_TITLE, f"{host}: {cause}", remedy, "NotPosted", status)
