"""How requests are sent: pooled connections, answers of bounded size and time, retries that heed Azure's headers."""

from collections import Counter
from collections.abc import Mapping, MutableMapping
from dataclasses import replace
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

import requests
from azure.core.exceptions import AzureError, ClientAuthenticationError
from azure.core.pipeline import PipelineResponse
from azure.core.pipeline.policies import RetryPolicy
from azure.core.pipeline.transport import HttpResponse as OldHttpResponse
from azure.core.pipeline.transport import RequestsTransport
from requests.adapters import HTTPAdapter

from services.connection.answers import without_half_pairs
from services.connection.changes import note_sent
from services.connection.errors import LimitExceeded, seconds_to_wait
from services.connection.limits import ANSWER, DOWNLOAD, LARGEST_ANSWER, Patience, limit_body, limited_tls, reading_with
from services.connection.parallel import WORKERS
from services.connection.write_permission import only_reads

# A caller waits for a throttled call at most this long; past it, the throttling is the answer.
LONGEST_RETRY_AFTER_S = 60
# Bytes that are read at once: a page of 1000 manifests in one go, where azure-core takes it in hundreds of pieces.
BLOCK = 1024 * 1024


_COUNTING = Lock()
_ANSWERS: Counter[str] = Counter()


def answers_by_status() -> Mapping[str, int]:
    """How many requests this process has sent, by the HTTP status of the answer; "none" where none came."""
    with _COUNTING:
        return dict(_ANSWERS)


def _count(status: str) -> None:
    with _COUNTING:
        _ANSWERS[status] += 1


class PatientRetryPolicy(RetryPolicy[Any, Any]):
    """azure-core's retries, but a Retry-After of minutes is handed to the caller instead of slept through."""

    def get_retry_after(self, response: PipelineResponse[Any, Any]) -> float | None:
        asked_s = seconds_to_wait(response.http_response.headers)
        try:
            return max(super().get_retry_after(response) or 0, asked_s or 0) or None
        except ValueError:  # Neither seconds nor a date: a proxy's. azure-core lets it pass to the caller.
            return asked_s

    def increment(self, settings: dict[str, Any], response: Any = None, error: Exception | None = None) -> bool:
        """Whether to try again: what went beyond a limit would do so again."""
        return not isinstance(error, LimitExceeded) and bool(super().increment(settings, response, error))

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


class BoundedTransport(RequestsTransport):  # type: ignore[misc]
    """azure-core's own, for answers within limits. Raises LimitExceeded, also where a body is read later."""

    may_change = True  # Whether anything in Azure can be changed by its requests.

    def send(
        self,
        request: Any,
        *,
        proxies: MutableMapping[str, str] | None = None,
        download: bool = False,
        largest: int = LARGEST_ANSWER,
        **options: Any,
    ) -> Any:
        """`download`: an answer of any size and length of time, as long as it keeps coming. `largest`: bytes."""
        limits = DOWNLOAD if download else replace(ANSWER, largest=largest)
        try:
            with reading_with(Patience(limits)):
                answer = super().send(request, proxies=proxies, **options)
        except AzureError:
            _count("none")
            raise
        _count(str(answer.status_code))
        url = urlsplit(request.url)
        if self.may_change and not only_reads(request.method, url.path):
            note_sent(request.method, f"{url.netloc}{url.path}", answer.status_code, answer.headers)
        if not options.get("stream") and "application/json" in str(answer.headers.get("Content-Type", "")).lower():
            _replace_half_pairs(answer)
        return answer


def _replace_half_pairs(answer: Any) -> None:
    """Here, since the SDKs parse the JSON themselves, and half of a surrogate pair can be written nowhere."""
    old = isinstance(answer, OldHttpResponse)
    raw = answer.body() if old else answer.content
    if (replaced := without_half_pairs(raw)) is not raw:
        # azure-core has two kinds of answers: one keeps its content itself, one has requests keep it.
        holder = answer.internal_response if old else answer
        holder._content = replaced


class SignInTransport(BoundedTransport):
    """For azure-identity, whose own retries sleep through any Retry-After and then lose the status.

    So throttling is retried here, as for the other clients. What remains of it, and what goes beyond a limit, is raised
    as the one error that azure-identity hands on as it is.
    """

    may_change = False

    def send(self, request: Any, **options: Any) -> Any:
        for wait in (0.8, 1.6, 3.2, None):
            try:
                answer = super().send(request, **options)
            except LimitExceeded as exc:
                raise ClientAuthenticationError(exc.message) from exc
            if answer.status_code != 429:
                break
            asked = seconds_to_wait(answer.headers) or 0
            if wait is None or asked > LONGEST_RETRY_AFTER_S:
                raise ClientAuthenticationError(response=answer)
            self.sleep(max(asked, wait))
        return answer


class _LimitedAdapter(HTTPAdapter):
    """requests' own, through sockets and bodies that heed the limits of `BoundedTransport`."""

    def init_poolmanager(self, *sizes: Any, **options: Any) -> None:
        super().init_poolmanager(*sizes, **options, ssl_context=limited_tls())

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        return super().proxy_manager_for(proxy, **{"ssl_context": limited_tls(), **options})

    def send(self, *request: Any, **options: Any) -> requests.Response:
        response = super().send(*request, **options)
        limit_body(response)
        return response


def pooled(kind: type[BoundedTransport], ca_file: str | None) -> BoundedTransport:
    """A transport of this kind, with connections of its own. `ca_file` replaces the system's trust store."""
    http = _Session()
    http.mount("https://", _LimitedAdapter(pool_connections=64, pool_maxsize=2 * WORKERS))
    return kind(
        session=http,
        session_owner=False,
        connection_verify=ca_file or True,
        connection_timeout=10,
        read_timeout=60,
        connection_data_block_size=BLOCK,
    )
