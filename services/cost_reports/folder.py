"""A report as files of a folder: each is there whole or not at all, and none that is not the console's own is written
over."""

import errno
import hashlib
import os
import secrets
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path

from services.connection.errors import ServiceError

_TITLE = "The report could not be written"
_CAUSES = {
    errno.ENOSPC: "The disk is full.",
    errno.EDQUOT: "The disk's quota is used up.",
    errno.EROFS: "It may only be read.",
    errno.EACCES: "The console may not write to it.",
    errno.EPERM: "The console may not write to it.",
    errno.ENOENT: "There is no such folder.",
    errno.ENOTDIR: "It is no folder.",
}
# Whoever may read the folder may read the report.
_MODE = 0o644


def version_of(content: bytes) -> str:
    """The SHA-256 of a file."""
    return hashlib.sha256(content).hexdigest()


def check_folder(folder: Path, names: Collection[str], own: Collection[str]) -> tuple[str, ...]:
    """The versions of the files that are there. `own`: those that the console may have written itself. Raises
    ServiceError (NotWritten) where the files can't be written there: before anything is read for them."""
    if not folder.is_dir():
        raise _refused(errno.ENOTDIR if folder.exists() else errno.ENOENT)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise _refused(errno.EACCES)
    return tuple(there for name in names if (there := _own_version(folder / name, own)))


def write_files(folder: Path, files: Mapping[str, bytes], own: Collection[str]) -> None:
    """Writes the files by their names, each in one step. What is there is replaced only where it is one of the versions
    that are the console's `own`. Raises ServiceError (NotWritten): then a file is as it was, or whole."""
    for name, content in files.items():
        file = folder / name
        there = bool(_own_version(file, own))
        partial = folder / f".{name}.{secrets.token_hex(8)}.part"
        try:
            _remove_parts(folder, name)
            _write(partial, content)
            _name(partial, file, there=there)
            _flush(folder)
        except OSError as exc:
            raise _refused(exc.errno) from exc
        finally:
            with suppress(OSError):
                partial.unlink(missing_ok=True)


def _remove_parts(folder: Path, name: str) -> None:
    """What a process that ended has left half written. One that still writes it has lost its lease, and fails."""
    for part in folder.glob(f".{name}.*.part"):
        part.unlink(missing_ok=True)


def _write(file: Path, content: bytes) -> None:
    number = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE)
    with os.fdopen(number, "wb") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(number)


def _name(partial: Path, file: Path, *, there: bool) -> None:
    """Gives the whole file its name, in one step. Where none was `there`, not even one that came since is lost, unless
    the file system has no second names."""
    if not there:
        try:
            os.link(partial, file)
        except FileExistsError:
            raise _not_own(file) from None
        except OSError as exc:
            if exc.errno not in (errno.EPERM, errno.ENOTSUP, errno.EMLINK, errno.ENOSYS):
                raise
        else:
            partial.unlink()
            return
    partial.replace(file)


def _flush(folder: Path) -> None:
    """The new name, too, outlives the machine. Not every file system can do that of a folder."""
    with suppress(OSError):
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def _own_version(file: Path, own: Collection[str]) -> str:
    """Which of the console's own versions is there, "" for none. Raises ServiceError where anything else is."""
    if not os.path.lexists(file):
        return ""
    try:
        version = version_of(file.read_bytes()) if file.is_file() and not file.is_symlink() else ""
    except OSError as exc:
        raise _refused(exc.errno) from exc
    if version not in own:
        raise _not_own(file)
    return version


def _not_own(file: Path) -> ServiceError:
    cause = f"{file.name} is there already, and is not this console's."
    return ServiceError(_TITLE, cause, "Move it away, or choose another folder.", "NotWritten")


def _refused(number: int | None) -> ServiceError:
    cause = _CAUSES.get(number or 0) or os.strerror(number or 0)
    remedy = "Look at the folder that ACR_CONSOLE_REPORT_FOLDER names."
    return ServiceError(_TITLE, f"The folder can't be used: {cause}", remedy, "NotWritten")
