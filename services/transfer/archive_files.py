"""The bytes of an archive: a file read at any place by many threads, and temporary files that can't fill the disk.

Whatever is expanded or spooled goes to an unnamed temporary file. No name from an archive ever becomes a path.
"""

import os
import shutil
import tempfile
import weakref
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Lock
from typing import BinaryIO

from services.connection.errors import ServiceError

MIB = 1024 * 1024
# Bytes that are read, hashed and expanded at once.
BLOCK = MIB
TITLE = "Could not read the archive"
# How many bytes are written between two looks at the disk.
_LOOK_AT_DISK = 64 * MIB
_GZIP = b"\x1f\x8b"
# That zlib expects the header and the end of gzip, and checks its CRC.
_GZIP_BITS = 16 + zlib.MAX_WBITS
# https://datatracker.ietf.org/doc/html/rfc8878#section-3.1.1, https://tukaani.org/xz/xz-file-format.txt, bzip2's "BZh"
_OTHERS = {b"\x28\xb5\x2f\xfd": "zstd", b"\xfd7zX": "xz", b"BZh": "bzip2", b"PK\x03\x04": "zip"}

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Limits:
    """What an archive may ask of this machine. All but `members` and `depth` in bytes.

    `expanded` bounds what gzip may grow to, all layers of an image together, and what a stream may bring; `left_free`
    is what stays free on the disk of the temporary files; `manifests` bounds all manifests and configs that are read
    to list the images. A registry accepts manifests of up to 4 MiB (OCI distribution, "Pushing manifests").
    """

    members: int = 10_000
    depth: int = 4
    manifest: int = 4 * MIB
    manifests: int = 64 * MIB
    expanded: int = 50 * 1024 * MIB
    left_free: int = 1024 * MIB


def archive_error(
    cause: str, code: str, remedy: str = "Write the archive again, or copy it again from where it came."
) -> ServiceError:
    """The error for an archive that can't be used. Nothing of it has been sent."""
    return ServiceError(TITLE, cause, remedy, code)


def stopped(title: str) -> ServiceError:
    """What is raised after a stop."""
    return ServiceError(title, "It was stopped.", "Begin again when you like.", "Stopped")


class Budget:
    """How many bytes may still be expanded; safe for many threads."""

    def __init__(self, limit: int) -> None:
        self._limit = self._left = limit
        self._lock = Lock()

    def spend(self, count: int) -> None:
        """Raises ServiceError (TooLarge) once more than the limit was expanded."""
        with self._lock:
            self._left -= count
            if self._left < 0:
                raise archive_error(
                    f"It expands to more than {self._limit:,} bytes.",
                    "TooLarge",
                    "If that is its right size, push it with docker or skopeo.",
                )


class RandomAccess:
    """One seekable file, read at any place; safe for many threads.

    A file that is `owned` is closed once nothing refers to this any more: content outlives the archive it is of.
    """

    def __init__(self, file: BinaryIO, *, owned: bool) -> None:
        self._file = file
        self._lock = Lock()
        if owned:
            weakref.finalize(self, file.close)
        self.size = file.seek(0, os.SEEK_END)

    def read_at(self, offset: int, size: int) -> bytes:
        """`size` bytes from `offset`; fewer only where the file ends."""
        with self._lock:
            self._file.seek(offset)
            return self._file.read(size)


@dataclass(frozen=True)
class Part:
    """A stretch of a file: `size` bytes from `offset`."""

    file: RandomAccess
    offset: int
    size: int

    def read(self, offset: int, size: int) -> bytes:
        """`size` bytes from `offset` within the part, less at its end. Raises ServiceError where the file shrank."""
        size = min(size, self.size - offset)
        found = self.file.read_at(self.offset + offset, size)
        if len(found) != size:
            raise archive_error("It ends in the middle of a member.", "Truncated")
        return found

    def blocks(self) -> Iterator[bytes]:
        """All bytes, a MiB at a time."""
        for offset in range(0, self.size, BLOCK):
            yield self.read(offset, BLOCK)

    @property
    def is_gzip(self) -> bool:
        return self.read(0, 2) == _GZIP

    def expanded(self, budget: Budget, on_read: Callable[[bytes], None] | None = None) -> Iterator[bytes]:
        """What the gzip data in the part expand to, within `budget`; every block of them goes to `on_read`, in order.

        Raises ServiceError: TooLarge, BadGzip, Truncated.
        """
        expander = zlib.decompressobj(_GZIP_BITS)
        try:
            for block in self.blocks():
                if on_read:
                    on_read(block)
                while block:
                    if expander.eof:
                        # Zeros may follow a member, or another member.
                        block = block.lstrip(b"\0")
                        expander = zlib.decompressobj(_GZIP_BITS) if block else expander
                        continue
                    yield from _expanded(expander, block, budget)
                    block = expander.unused_data
        except zlib.error as exc:
            raise archive_error(f"Its gzip data are damaged: {exc}.", "BadGzip") from exc
        if not expander.eof:
            raise archive_error("Its gzip data end before they are complete.", "Truncated")


def _expanded(expander: "zlib._Decompress", block: bytes, budget: Budget) -> Iterator[bytes]:
    """What `block` expands to, a MiB at a time at most, up to the end of the gzip member."""
    while True:
        grown = expander.decompress(block, BLOCK)
        budget.spend(len(grown))
        if grown:
            yield grown
        block = expander.unconsumed_tail
        # A full block may be followed by more, even where all input was consumed.
        if expander.eof or (not block and len(grown) < BLOCK):
            return


def part_of_file(file: RandomAccess) -> Part:
    """All of a file."""
    return Part(file, 0, file.size)


def blocks_of(stream: BinaryIO) -> Iterator[bytes]:
    """What a stream brings, until it ends."""
    while block := stream.read(BLOCK):
        yield block


def spool(blocks: Iterable[bytes], limits: Limits, stop: Event, done: Callable[[int], None]) -> BinaryIO:
    """An unnamed temporary file with `blocks` in it; `done(bytes)` after each.

    Raises ServiceError: TooLarge, DiskFull, Stopped, and what `blocks` raises. The file is gone then.
    """
    file: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115 (it outlives this function)
    try:
        written = looked = 0
        _require_room(limits)
        for block in blocks:
            if stop.is_set():
                raise stopped(TITLE)
            written += len(block)
            if written > limits.expanded:
                raise archive_error(
                    f"It is larger than {limits.expanded:,} bytes.", "TooLarge", "Push it with docker or skopeo."
                )
            if written - looked >= _LOOK_AT_DISK:
                looked = written
                _require_room(limits)
            file.write(block)
            done(written)
        file.flush()
    except OSError as exc:
        file.close()
        raise _disk_full(str(exc.strerror or exc)) from exc
    except BaseException:
        file.close()
        raise
    return file


def _require_room(limits: Limits) -> None:
    folder = tempfile.gettempdir()
    if shutil.disk_usage(folder).free < limits.left_free + _LOOK_AT_DISK:
        raise _disk_full(f"less than {limits.left_free:,} bytes would be left free in {Path(folder)}")


def _disk_full(why: str) -> ServiceError:
    return archive_error(
        f"There is no room to expand it: {why}.",
        "DiskFull",
        "Free some space, set TMPDIR to a larger disk, or push it with docker or skopeo.",
    )


def compression_of(head: bytes) -> str:
    """The name of a format that is not read here, by the first bytes of a file; '' for all others."""
    return next((name for magic, name in _OTHERS.items() if head.startswith(magic)), "")
