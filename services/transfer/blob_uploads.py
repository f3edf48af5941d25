"""One blob into a repository: skipped where it is there, mounted where another repository has it, else sent in chunks.

A chunk that fails is never sent again blindly: the registry is asked how much it has, and the upload goes on there.
https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pushing-blobs
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event
from typing import Literal
from urllib.parse import urlencode

from azure.core.exceptions import AzureError, HttpResponseError, ServiceRequestError, ServiceResponseError
from azure.core.rest import HttpResponse

from services.connection.data_plane import RegistryClient, path_of, path_within
from services.connection.data_plane_tokens import raise_for
from services.connection.errors import ServiceError, as_service_error, from_azure
from services.connection.transport import LONGEST_RETRY_AFTER_S
from services.transfer.archive_files import MIB, stopped
from services.transfer.archive_images import Blob

# What is in memory of a blob at a time.
CHUNK = 8 * MIB
# Failures in a row, with no byte gained between them, after which it is given up: about half a minute.
_TRIES = 8
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.2, 8.0
_PASSING = frozenset({408, 429, 500, 502, 503, 504})
_RANGE = re.compile(r"(?:bytes=)?0-(\d+)")

How = Literal["there", "mounted", "sent"]


@dataclass(frozen=True)
class BlobResult:
    """What became of a blob of `size` bytes. `sent` counts the bytes that went over the wire for it."""

    digest: str
    size: int
    how: How
    sent: int


def blob_path(repository: str, digest: str) -> str:
    """Where a repository has a blob."""
    return path_of("/v2/{repository}/blobs/{digest}", repository=repository, digest=digest)


def has_blob(client: RegistryClient, repository: str, blob: Blob) -> bool:
    """Whether the repository has it, all of it. Raises ServiceError as reading does."""
    with as_service_error(f"Could not ask {repository} for the blob {blob.digest}"):
        return _is_there(client, repository, blob)


def _is_there(client: RegistryClient, repository: str, blob: Blob) -> bool:
    found = client.head(blob_path(repository, blob.digest))
    if found is None:
        return False
    length = found.headers.get("Content-Length")
    # A redirect to where the bytes are says nothing of their number.
    return found.status_code != 200 or length is None or length == str(blob.size)


def send_blob(
    client: RegistryClient,
    repository: str,
    blob: Blob,
    *,
    mount_from: str = "",
    sent: Callable[[int], None],
    stop: Event,
    halted: Callable[[], bool],
) -> BlobResult:
    """The blob in the repository. `sent(bytes)` says how much of it the registry has, and may go back.

    After `stop`, or once `halted()`, the upload is given up. Raises ServiceError: Stopped, OtherHost, DIGEST_INVALID,
    UploadLost (the registry forgot it eight times), and what writing raises; after failures that may pass, only when
    no byte was gained in eight tries.
    """
    upload = _Upload(client, repository, blob, mount_from)
    try:
        _run_upload(upload, sent, stop, halted)
    except ServiceError:
        upload.cancel()
        raise
    sent(blob.size)
    return BlobResult(blob.digest, blob.size, upload.how or "sent", upload.wire_bytes)


def _run_upload(upload: "_Upload", sent: Callable[[int], None], stop: Event, halted: Callable[[], bool]) -> None:
    """Step by step until the blob is in the repository."""
    best = failures = 0
    while not upload.how:
        if stop.is_set() or halted():
            raise stopped(upload.title)
        failure = upload.step()
        if upload.offset > best:
            best, failures = upload.offset, 0
        sent(upload.offset)
        if failure:
            failures += 1
            if failures >= _TRIES or failure.wait > LONGEST_RETRY_AFTER_S:
                raise from_azure(upload.title, failure.error) from failure.error
            stop.wait(failure.wait or min(_FIRST_WAIT_S * 2 ** (failures - 1), _LONGEST_WAIT_S))


@dataclass(frozen=True)
class _Failure:
    """A failure that may pass; `wait` is what the registry asks for, in seconds, 0 where it says nothing."""

    error: AzureError
    wait: float = 0


class _Upload:
    """The upload as the registry has it. `how` is '' until the blob is in the repository."""

    def __init__(self, client: RegistryClient, repository: str, blob: Blob, mount_from: str) -> None:
        self.title = f"Could not push the blob {blob.digest} to {repository}"
        self.how: How | Literal[""] = ""
        self.offset = self.wire_bytes = 0
        self._client, self._repository, self._blob, self._mount_from = client, repository, blob, mount_from
        self._path = ""
        self._unsure = False
        self._may_be_done = True
        self._lost = 0

    def step(self) -> _Failure | None:
        """The next request; what failed, where that may pass. Raises ServiceError for what will not."""
        with as_service_error(self.title):
            try:
                if self._may_be_done:
                    self._read_offset()
                elif not self._path:
                    self._begin()
                elif self._unsure:
                    self._request_offset()
                elif self.offset < self._blob.size:
                    self._append()
                else:
                    self._finish()
            except (ServiceRequestError, ServiceResponseError) as error:
                self._unsure = True
                return _Failure(error)
            except HttpResponseError as error:
                if error.status_code not in _PASSING:
                    raise
                self._unsure = True
                return _Failure(error, _retry_after(error))
        return None

    def cancel(self) -> None:
        """Has the registry forget what it got. Where that fails it does so by itself, later."""
        if self._path:
            try:
                self._client.once("DELETE", self._path)
            except AzureError:
                return

    def _read_offset(self) -> None:
        """Whether the blob is there: at first, and after a last request whose answer was lost."""
        if _is_there(self._client, self._repository, self._blob):
            self.how = "sent" if self.wire_bytes else "there"
        self._may_be_done = False

    def _begin(self) -> None:
        mount = {"mount": self._blob.digest, "from": self._mount_from} if self._mount_from else None
        path = path_of("/v2/{repository}/blobs/uploads/", mount, repository=self._repository)
        answer = self._record_answer(self._client.once("POST", path))
        if answer.status_code == 201 and mount:
            self.how = "mounted"
            return
        self.offset = 0
        self._unsure = False
        self._update_location(answer)

    def _request_offset(self) -> None:
        answer = self._client.once("GET", self._path)
        if answer.status_code == 404:
            self._forget()
            return
        self._record_answer(answer)
        self._update_location(answer)
        known = self._received_bytes(answer)
        if known is None:
            self._forget()
        else:
            self.offset, self._unsure = known, False

    def _append(self) -> None:
        chunk = self._blob.part.read(self.offset, CHUNK)
        span = {"Content-Range": f"{self.offset}-{self.offset + len(chunk) - 1}"}
        octets = {"Content-Type": "application/octet-stream"}
        self.wire_bytes += len(chunk)
        answer = self._client.once("PATCH", self._path, content=chunk, headers={**span, **octets})
        if answer.status_code == 404:
            self._forget()
        elif answer.status_code == 416:
            # Where it says that it has what was thought, there is no agreeing: 0-0 is no byte, or one.
            if self._received_bytes(answer) in (None, self.offset):
                self._forget()
            else:
                self._unsure = True
        else:
            self._update_location(self._record_answer(answer))
            known = self._received_bytes(answer)
            if known is not None and known <= self.offset:
                self._forget()
            else:
                self.offset = self.offset + len(chunk) if known is None else known

    def _finish(self) -> None:
        joint = "&" if "?" in self._path else "?"
        answer = self._client.once("PUT", f"{self._path}{joint}{urlencode({'digest': self._blob.digest})}")
        if answer.status_code == 404:
            self._forget()
            return
        self._record_answer(answer)
        self.how = "sent"

    def _forget(self) -> None:
        """The registry no longer knows the upload: because it is done, or else it starts again."""
        self._lost += 1
        if self._lost > _TRIES:
            raise ServiceError(
                self.title,
                "The registry forgot the upload again and again.",
                "Push it again later. If it comes again, something between here and the registry may be in the way.",
                "UploadLost",
            )
        self._path, self.offset, self._unsure, self._may_be_done = "", 0, False, True

    def _record_answer(self, answer: HttpResponse) -> HttpResponse:
        raise_for(answer)
        return answer

    def _update_location(self, answer: HttpResponse) -> None:
        location = answer.headers.get("Location")
        if location:
            self._path = path_within(self._client.login_server, location)
        elif not self._path:
            raise ServiceError(
                self.title,
                "The registry began an upload and did not say where.",
                "A proxy may be answering instead of the registry: check the network.",
                "BadAnswer",
                answer.status_code,
            )

    def _received_bytes(self, answer: HttpResponse) -> int | None:
        """How many bytes the registry has; None where it does not say, or says what can't be."""
        found = _RANGE.fullmatch(answer.headers.get("Range", ""))
        if not found:
            return None
        have = int(found[1]) + 1 if int(found[1]) else 0
        return have if have <= self._blob.size else None


def _retry_after(error: HttpResponseError) -> float:
    header = str(getattr(error.response, "headers", {}).get("Retry-After", ""))
    return float(header) if header.replace(".", "", 1).isdigit() else 0.0
