"""Digests as bytes, and numbers of the index in a row: what keeps its tables small."""

import sys
from array import array
from collections.abc import Iterable

_SHA256 = "sha256:"
_BYTES = 32
# After all texts with the same beginning.
LAST = "\U0010ffff"


def pack_digest(digest: str) -> bytes:
    """The 32 bytes of a sha256; the text of any other digest."""
    hexadecimal = digest.removeprefix(_SHA256)
    if digest.startswith(_SHA256) and len(hexadecimal) == 2 * _BYTES and hexadecimal == hexadecimal.lower():
        try:
            return bytes.fromhex(hexadecimal)
        except ValueError:
            pass
    packed = digest.encode()
    return packed + b" " if len(packed) == _BYTES else packed


def unpack_digest(packed: bytes) -> str:
    """The digest that `pack_digest` packed."""
    return f"{_SHA256}{packed.hex()}" if len(packed) == _BYTES else packed.decode(errors="replace").rstrip()


def digest_range(prefix: str) -> tuple[bytes, bytes]:
    """The bytes that every sha256 digest with this beginning is between, both included. `prefix`: sha256: and at least
    one hexadecimal character in lower case."""
    hexadecimal = prefix.removeprefix(_SHA256)
    return bytes.fromhex(hexadecimal.ljust(2 * _BYTES, "0")), bytes.fromhex(hexadecimal.ljust(2 * _BYTES, "f"))


def pack_numbers(numbers: Iterable[int]) -> bytes:
    """Numbers of rows, in this order, four bytes each."""
    packed = array("I", numbers)
    if sys.byteorder == "big":
        packed.byteswap()
    return packed.tobytes()


def unpack_numbers(packed: bytes) -> tuple[int, ...]:
    """The numbers that `pack_numbers` packed."""
    numbers = array("I", packed[: len(packed) // 4 * 4])
    if sys.byteorder == "big":
        numbers.byteswap()
    return tuple(numbers)


def text_range(text: str) -> tuple[str, str]:
    """The first and the last of the texts that are `text`, or begin with it where it ends on *."""
    begins = text.removesuffix("*")
    return begins, text if text == begins else begins + LAST
