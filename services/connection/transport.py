"""How requests are sent: pooled connections, retries that heed Azure's headers."""

from typing import Any
from urllib.parse import urlsplit

import requests
from azure.core.pipeline import PipelineResponse
from azure.core.pipeline.policies import (
    RetryPolicy,
)
from azure.core.pipeline.transport import HttpTransport, RequestsTransport
from requests.adapters import HTTPAdapter

from services.connection.errors import seconds_to_wait
from services.connection.parallel import WORKERS

# A caller waits for a throttled call at most this long; past it, the throttling is the answer.
LONGEST_RETRY_AFTER_S = 60
# Bytes that are read at once: a page of 1000 manifests in one go, where azure-core takes it in hundreds of pieces.
BLOCK = 1024 * 1024


class PatientRetryPolicy(RetryPolicy[Any, Any]):
    """azure-core's retries, but a Retry-After of minutes is handed to the caller instead of slept through."""

    def get_retry_after(self, response: PipelineResponse[Any, Any]) -> float | None:
        told = seconds_to_wait(response.http_response.headers)
        try:
            return max(super().get_retry_after(response) or 0, told or 0) or None
        except ValueError:  # Neither seconds nor a date: a proxy's. azure-core lets it pass to the caller.
            return told

    def is_retry(self, settings: dict[str, Any], response: PipelineResponse[Any, Any]) -> bool:
        wait = self.get_retry_after(response) or 0
        if wait > LONGEST_RETRY_AFTER_S:
            return False
        # azure-core knows Retry-After only: a query that is throttled by another header would not be sent again.
        if wait and response.http_response.status_code == 429:
            return bool(settings["total"])
        return bool(super().is_retry(settings, response))


def retry_policy() -> PatientRetryPolicy:
    """One read, up to four tries; a name that does not resolve is tried twice."""
    return PatientRetryPolicy(retry_total=4, retry_connect=1, retry_backoff_factor=0.4, retry_backoff_max=8)


class _Session(requests.Session):
    """Looks up proxies and certificates in the environment once a host; requests does for every request."""

    def __init__(self) -> None:
        super().__init__()
        self._settings: dict[tuple[Any, ...], Any] = {}

    def merge_environment_settings(self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> Any:
        key = (urlsplit(url).netloc, *sorted(proxies.items()), stream, verify, cert)
        if key not in self._settings:
            self._settings[key] = super().merge_environment_settings(url, proxies, stream, verify, cert)
        return dict(self._settings[key])


def _pooled_transport(ca_file: str | None) -> HttpTransport[Any, Any]:
    http = _Session()
    http.mount("https://", HTTPAdapter(pool_connections=64, pool_maxsize=2 * WORKERS))
    transport: HttpTransport[Any, Any] = RequestsTransport(
        session=http,
        session_owner=False,
        connection_verify=ca_file or True,
        connection_timeout=10,
        read_timeout=60,
        connection_data_block_size=BLOCK,
    )
    return transport
