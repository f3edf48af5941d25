"""The registry's data plane at one request a call, where the SDK as it comes sends four.

`RegistryTokenPolicy` goes into the SDK's pipeline through `per_retry_policies`, behind its own challenge policy,
and adds the token first: the SDK sees a challenge only where the registry refuses for good.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from io import SEEK_SET, UnsupportedOperation
from typing import Any
from urllib.parse import quote, unquote, urlencode, urljoin, urlsplit

from azure.containerregistry import ContainerRegistryClient
from azure.core import PipelineClient
from azure.core.credentials import TokenCredential
from azure.core.exceptions import DecodeError, HttpResponseError
from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import (
    DistributedTracingPolicy,
    HTTPPolicy,
    RequestIdPolicy,
    SansIOHTTPPolicy,
    UserAgentPolicy,
)
from azure.core.pipeline.transport import HttpTransport
from azure.core.rest import HttpRequest, HttpResponse

from services.connection.answers import json_of
from services.connection.data_plane_tokens import RegistryTokens, need_of, raise_for
from services.connection.errors import ServiceError, as_service_error
from services.connection.limits import LARGEST_ANSWER, PageLinks

Policy = HTTPPolicy[Any, Any] | SansIOHTTPPolicy[Any, Any]

# At a thousand entries a page, more than a registry's published limits let anybody read.
PAGES_MOST = 2000

# https://learn.microsoft.com/azure/container-registry/container-registry-skus#registry-throughput-and-throttling
LARGEST_MANIFEST = 4 * 1024 * 1024

# Between the console's clock and a registry's.
MOST_APART = timedelta(minutes=5)
_REDIRECTS = (301, 302, 303, 307, 308)
_CHALLENGE_MEMBER = re.compile(r'(\w+)="([^"]*)"')


class RegistryTokenPolicy(HTTPPolicy[Any, Any]):
    """Adds the token a request needs; after a 401 it asks once more, for what the challenge names."""

    def __init__(self, login_server: str, tokens: RegistryTokens) -> None:
        super().__init__()
        self._login_server = login_server
        self._tokens = tokens

    def send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        http = request.http_request
        url = urlsplit(http.url)
        need = need_of(http.method, url.path, url.query)
        # A blob may be redirected to a storage account: the registry's token is for the registry alone.
        if need is None or url.netloc != self._login_server:
            return self.next.send(request)
        token = self._tokens.for_need(need)
        http.headers["Authorization"] = f"Bearer {token}"
        response = self.next.send(request)
        challenge = dict(_CHALLENGE_MEMBER.findall(response.http_response.headers.get("WWW-Authenticate", "")))
        if response.http_response.status_code != 401 or "scope" not in challenge or not _rewound(http.body):
            return response
        token = self._tokens.for_challenge(token, challenge.get("service", ""), challenge["scope"])
        http.headers["Authorization"] = f"Bearer {token}"
        return self.next.send(request)


class WholeBodyPolicy(SansIOHTTPPolicy[Any, Any]):
    """Reads a streamed body here, where the retries still see it break.

    Streamed, it comes in blocks of the transport's size; else requests reads it ten kilobytes at a time.
    """

    def on_response(self, request: PipelineRequest[Any], response: PipelineResponse[Any, Any]) -> None:  # noqa: ARG002
        response.http_response.read()


def _rewound(body: Any) -> bool:
    """Whether the body can be sent again, wound back to its start."""
    if body is None or isinstance(body, bytes | str):
        return True
    try:
        body.seek(0, SEEK_SET)
    except (AttributeError, UnsupportedOperation, ValueError):
        return False
    return True


@dataclass(frozen=True)
class Page:
    """One page of a list: its JSON body, and the path where the next begins (None: this was the last)."""

    body: Any
    next: str | None


class RegistryClient:
    """One registry's data plane: `sdk` for single objects, `page`s of JSON for lists, `raw` for manifests."""

    def __init__(
        self,
        login_server: str,
        credential: TokenCredential,
        audience: str,
        transport: HttpTransport[Any, Any],
        retry_policy: Callable[[], HTTPPolicy[Any, Any]],
        user_agent: str,
        tokens: RegistryTokens | None = None,
    ) -> None:
        """`tokens`: those of another client of this registry, to be shared."""
        self.login_server = login_server
        self._url = f"https://{login_server}"
        self._before_read: Callable[[], None] | None = None
        agent = UserAgentPolicy(base_user_agent=user_agent)

        def client(*policies: Policy) -> PipelineClient[HttpRequest, HttpResponse]:
            return PipelineClient(
                self._url,
                policies=[RequestIdPolicy(), agent, retry_policy(), *policies, DistributedTracingPolicy()],
                transport=transport,
            )

        self.tokens = tokens or RegistryTokens(login_server, credential, audience, client())
        # A policy is a link of one pipeline only: the SDK's gets one of its own.
        self._client = client(RegistryTokenPolicy(login_server, self.tokens), WholeBodyPolicy())
        self._streams = client(RegistryTokenPolicy(login_server, self.tokens))
        self.sdk = ContainerRegistryClient(
            self._url,
            credential,
            audience=audience,
            transport=transport,
            user_agent_policy=agent,
            retry_policy=retry_policy(),
            per_retry_policies=[RegistryTokenPolicy(login_server, self.tokens)],
        )

    def paced(self, before_read: Callable[[], None]) -> "RegistryClient":
        """This client, calling `before_read` before each page and manifest: for work that keeps to a budget."""
        found = copy(self)
        found._before_read = before_read
        return found

    def raw(self, path: str, *, accept: str = "application/json") -> HttpResponse:
        """GET of `path` (percent-encoded) as the registry answers it, of a manifest's size at most.

        Raises azure-core's errors, and LimitExceeded for a larger answer.
        """
        return self._get(path, accept, LARGEST_MANIFEST)

    def _get(self, path: str, accept: str, largest: int) -> HttpResponse:
        if self._before_read:
            self._before_read()
        request = HttpRequest("GET", self._url + path, headers={"Accept": accept, "Accept-Encoding": "gzip"})
        response = self._client.send_request(request, stream=True, largest=largest)
        raise_for(response)
        return response

    def blob(self, path: str, *, start: int = 0) -> HttpResponse:
        """A blob's content from byte `start` on, as it is stored and not read yet: go through `iter_raw`, and `close`.

        206 begins at `start`; 200 at the first byte, where the registry knows no ranges. One redirect is followed, to
        HTTPS alone: a registry keeps its blobs in a storage account. That is another request, and the token stays here.
        Raises azure-core's errors.
        """
        response = self._stream(self._url + path, start)
        if response.status_code in _REDIRECTS:
            location = response.headers.get("Location", "")
            target = urljoin(self._url, location)
            response.close()
            if not location or not target.startswith("https://"):
                raise HttpResponseError("A redirect to nowhere", response=response)
            response = self._stream(target, start)
        raise_for(response)
        if response.status_code not in (200, 206):
            response.close()
            raise HttpResponseError("No content", response=response)
        return response

    def _stream(self, url: str, start: int) -> HttpResponse:
        headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={start}-"} if start else {})}
        return self._streams.send_request(HttpRequest("GET", url, headers=headers), stream=True, download=True)

    def send(
        self, method: str, path: str, *, content: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> HttpResponse:
        """A write. PUT and DELETE are retried; PATCH and POST only where the registry says that it failed.

        After a lost answer it may have been done all the same: read back. Raises azure-core's errors.
        """
        more = {"Accept": "application/json", **(headers or {})}
        response = self._client.send_request(HttpRequest(method, self._url + path, content=content, headers=more))
        raise_for(response)
        return response

    def head(self, path: str) -> HttpResponse | None:
        """HEAD of `path`; None for a 404, which has no body to say what is not there. Raises azure-core's errors."""
        response = self._client.send_request(HttpRequest("HEAD", self._url + path, headers={"Accept": "*/*"}))
        if response.status_code == 404:
            return None
        raise_for(response)
        return response

    def once(
        self, method: str, path: str, *, content: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> HttpResponse:
        """One step of an upload, tried once: after a failure the caller asks how far it came. Any status is an answer.

        Raises azure-core's errors where there is none.
        """
        more = {"Accept": "application/json", "Content-Length": str(len(content)), **(headers or {})}
        request = HttpRequest(method, self._url + path, content=content, headers=more)
        return self._client.send_request(request, retry_total=0)

    def page(self, path: str) -> Page:
        """One page of a list. `path` is the first page's, or a former page's `next`."""
        response = self._get(path, "application/json", LARGEST_ANSWER)
        body = json_of(response)
        try:
            if not isinstance(body, dict):
                raise ValueError("No object")
            return Page(body, _next_path(response.headers.get("Link", "")))
        except ValueError as exc:
            raise DecodeError("The answer is not JSON", response=response, error=exc) from exc

    def pages(self, path: str) -> Iterator[Any]:
        """The bodies of all pages of a list, from the first on. Raises LimitExceeded for pages without end."""
        links = PageLinks(PAGES_MOST)
        following: str | None = path
        while following:
            page = self.page(links.follow(following))
            yield page.body
            following = page.next


def path_of(template: str, query: Mapping[str, str | int] | None = None, **parts: str) -> str:
    """`/acr/v1/{repository}/_tags` with every part percent-encoded, slashes too, as the SDK sends them.

    Raises ServiceError (InvalidName) for `.` and `..`: encoded or not, an HTTP client takes them for steps in the path,
    and a deletion of the tag `..` would go out as one of the repository above it.
    """
    for part in parts.values():
        if part in (".", ".."):
            raise ServiceError(
                f"There is nothing named {part}", "A registry has no such name.", "Check the name.", "InvalidName"
            )
    path = template.format(**{name: quote(part, safe="") for name, part in parts.items()})
    return f"{path}?{urlencode(query)}" if query else path


def path_within(login_server: str, location: str) -> str:
    """The path of a `Location`, relative or absolute, at the registry itself.

    Raises ServiceError (OtherHost) for one anywhere else: what is uploaded goes to the registry, or nowhere.
    """
    target = urlsplit(urljoin(f"https://{login_server}/", location))
    steps = unquote(target.path).split("/")
    if target.scheme != "https" or target.netloc != login_server or steps[:2] != ["", "v2"] or {".", ".."} & {*steps}:
        raise ServiceError(
            f"{login_server} sends an upload elsewhere",
            f"It named another place than itself: {target.scheme}://{target.netloc}. Nothing was sent there.",
            "Something between here and the registry changes its answers: check the proxy.",
            "OtherHost",
        )
    return f"{target.path}?{target.query}" if target.query else target.path


def _next_path(link: str) -> str | None:
    """The path of `Link: </path?…>; rel="next"`; of an absolute one too, so that no other host is ever asked.

    Raises ValueError for what is no path: put behind the host as it stands, `@host` or `.host` would change the host.
    """
    if not link.startswith("<"):
        return None
    target = urlsplit(link[1 : link.find(">")])
    if not target.path.startswith("/"):
        raise ValueError(f"No path: {link}")
    return f"{target.path}?{target.query}"


def require_same_time(client: RegistryClient, title: str, now: datetime) -> None:
    """Raises ServiceError (ClocksApart) where the registry answers at another time than `now`: ages and days would be
    wrong. An answer that says no time says nothing."""
    with as_service_error(title):
        answered = client.raw("/acr/v1/_catalog?n=1").headers.get("Date", "")
    try:
        there = parsedate_to_datetime(answered)
    except ValueError:
        return
    if abs(there.replace(tzinfo=UTC) - now) > MOST_APART:
        cause = f"The console's clock says {now:%Y-%m-%d %H:%M} UTC, and the registry's {there:%Y-%m-%d %H:%M}."
        raise ServiceError(title, cause, "Set the clock of the console's machine or database.", "ClocksApart")
