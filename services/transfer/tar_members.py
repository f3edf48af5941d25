"""Which files a tar holds and where their bytes lie, from its headers alone.

Not by `tarfile`: it reads an extended header of any size into memory, follows chains of them by recursion, and looks
through them with patterns that take hours on a hostile one (CVE-2024-6232, CVE-2025-8194).
Format: https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html#tag_20_92_13 and
https://www.gnu.org/software/tar/manual/html_node/Standard.html
"""

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass

from services.connection.errors import ServiceError
from services.transfer.archive_files import Part, RandomAccess, archive_error

_RECORD = 512
_LONGEST_NAME = 1024
_LARGEST_EXTENDED = 64 * 1024
_FILES = (b"0", b"\0", b"7")
_LINKS = (b"1", b"2")
_KINDS = {b"3": "a device", b"4": "a device", b"6": "a pipe", b"S": "a sparse file"}
_WRITE_AGAIN = "Write it with `docker save`, `skopeo copy` or `docker buildx build --output type=oci`."


@dataclass(frozen=True)
class Member:
    """A file in the tar, or, where `link` is not '', a link to the member of that name."""

    name: str
    part: Part
    link: str = ""


@dataclass(frozen=True)
class Listing:
    """Every file and link of a tar by name; `ended` where blocks of zeros mark its end."""

    members: Mapping[str, Member]
    ended: bool


def read_members(file: RandomAccess, limit: int) -> Listing:
    """Directories are left out. A member that occurs twice with the same bytes is one.

    Raises ServiceError: NotAnArchive, Damaged, Truncated, TooManyMembers (of `limit`), UnsafeMember (a name or a link
    that leads out, a device), DuplicateMember (of different bytes: readers disagree about which of the two counts).
    """
    found: dict[str, Member] = {}
    ended = _collect(file, limit, found)
    return Listing(found, ended)


def _keep(found: dict[str, Member], member: Member) -> None:
    first = found.setdefault(member.name, member)
    if first is not member and not _same(first, member):
        raise archive_error(
            f"It has two members named {member.name}, with different bytes: which of them counts is not known.",
            "DuplicateMember",
            _WRITE_AGAIN,
        )


def _same(first: Member, second: Member) -> bool:
    if first.link != second.link or first.part.size != second.part.size:
        return False
    return all(one == other for one, other in zip(first.part.blocks(), second.part.blocks(), strict=True))


def follow_link(members: Mapping[str, Member], name: str) -> Member | None:
    """The file of that name, or the one that the link of that name leads to; None where there is none."""
    member = members.get(name)
    if member and member.link:
        member = members.get(member.link)
        if member and member.link:
            raise archive_error(f"{name} is a link to a link.", "UnsafeMember", _WRITE_AGAIN)
    return member


def _collect(file: RandomAccess, limit: int, found: dict[str, Member]) -> bool:
    """Fills `found`; whether an end mark is there."""
    at = count = 0
    extended: dict[str, str] = {}
    while (header := file.read_at(at, _RECORD)) and header.strip(b"\0"):
        count += 1
        if count > limit:
            raise archive_error(f"It has more than {limit:,} members.", "TooManyMembers", _WRITE_AGAIN)
        _check_header(header, first=at == 0)
        kind = header[156:157]
        begins = at + _RECORD
        size = _number(header[124:136])
        if kind in (b"x", b"g", b"L", b"K"):
            if size > _LARGEST_EXTENDED:
                raise archive_error("One of its extended headers is too large to be one.", "Damaged")
            data = Part(file, begins, size).read(0, size)
            extended |= {} if kind == b"g" else _read_pax(kind, data)
            at = begins + _padded(size)
            continue
        size = _number_of(extended["size"]) if "size" in extended else size
        if any(key.startswith("GNU.sparse") for key in extended):
            kind = b"S"
        name = extended.get("path") or _name(header)
        link = extended.get("linkpath") or _text(header[157:257])
        extended = {}
        # Whatever a link or a directory says of its size, no bytes follow it.
        size = size if kind in _FILES else 0
        part = Part(file, begins, size)
        if begins + size > file.size:
            raise archive_error(f"It ends in the middle of {name}.", "Truncated")
        if (kept := _safe(name)) and not (kind == b"5" or name.endswith("/")):
            _keep(found, _member(kind, kept, link, part))
        at = begins + _padded(size)
    if at == 0 and not header:
        raise _not_a_tar_error()
    # A tar ends with blocks of zeros, and some tools leave them out. Where it was cut between two members, nothing else
    # tells: what lacks then is for the reader of the images to see.
    return bool(header)


def _not_a_tar_error() -> ServiceError:
    return archive_error("It is no tar archive.", "NotAnArchive", _WRITE_AGAIN)


def _member(kind: bytes, name: str, link: str, part: Part) -> Member:
    if kind in _FILES:
        return Member(name, part)
    if kind in _LINKS:
        # A hard link names a member from the top, a symbolic one from where it stands.
        target = link if kind == b"1" else posixpath.join(posixpath.dirname(name), link)
        return Member(name, part, _safe(posixpath.normpath(target)) or ".")
    what = _KINDS.get(kind, "of a kind that is not known")
    raise archive_error(f"{name} in it is {what}.", "UnsafeMember", _WRITE_AGAIN)


def _check_header(header: bytes, *, first: bool) -> None:
    """The header's checksum: the sum of its bytes, with the checksum itself as blanks."""
    blanked = header[:148] + b" " * 8 + header[156:]
    try:
        right = len(header) == _RECORD and int(header[148:156].strip(b" \0") or b"x", 8) == sum(blanked)
    except ValueError:
        right = False
    if right:
        return
    if first:
        raise _not_a_tar_error()
    if len(header) < _RECORD:
        raise archive_error("It ends in the middle of a header.", "Truncated")
    raise archive_error("One of its headers is damaged.", "Damaged")


def _number(field: bytes) -> int:
    """Octal, or where the first bit is set, base 256."""
    if field[0] & 0x80:
        number = int.from_bytes(bytes([field[0] & 0x7F]) + field[1:], "big") if field[0] == 0x80 else -1
        return _require_not_negative(number)
    try:
        return _require_not_negative(int(field.strip(b" \0") or b"0", 8))
    except ValueError as exc:
        raise archive_error("The size of a member is no number.", "Damaged") from exc


def _number_of(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise archive_error("The size of a member is no number.", "Damaged")
    return int(text)


def _require_not_negative(number: int) -> int:
    if number < 0:
        raise archive_error("The size of a member is negative.", "Damaged")
    return number


def _read_pax(kind: bytes, data: bytes) -> dict[str, str]:
    """What a pax header, or GNU's long name or long link, says of the member that follows."""
    if kind in (b"L", b"K"):
        return {"path" if kind == b"L" else "linkpath": _text(data)}
    found: dict[str, str] = {}
    at = 0
    while at < len(data):
        length, blank, _ = data[at : at + 12].partition(b" ")
        if not (blank and length.isdigit() and len(length) < int(length) <= len(data) - at):
            raise archive_error("One of its extended headers is damaged.", "Damaged")
        key, _, value = data[at + len(length) + 1 : at + int(length)].removesuffix(b"\n").partition(b"=")
        found[_text(key)] = _text(value)
        at += int(length)
    return found


def _name(header: bytes) -> str:
    name, prefix = _text(header[:100]), _text(header[345:500])
    return f"{prefix}/{name}" if prefix and header[257:263] == b"ustar\0" else name


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode(errors="replace")


def _safe(name: str) -> str:
    """`name` without `./`. '' for the top folder itself. Raises ServiceError where it leads out of the archive."""
    steps = [step for step in name.split("/") if step not in ("", ".")]
    if name.startswith("/") or ".." in steps:
        raise archive_error(f"A member of it leads out of the archive: {name[:200]}.", "UnsafeMember", _WRITE_AGAIN)
    if len(name) > _LONGEST_NAME:
        raise archive_error("The name of one of its members is too long.", "UnsafeMember", _WRITE_AGAIN)
    return "/".join(steps)


def _padded(size: int) -> int:
    return -(-size // _RECORD) * _RECORD
