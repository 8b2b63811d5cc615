r"""Values of `<match>`: strings with C's escapes, numbers, and masks.

parsed_string(r"\x89PNG\r\n"), parsed_number("0x4949", 2, is_little=True), parsed_mask("0xffff00ff", 4)

All raise `LookupError` for what is none.
"""

from __future__ import annotations

import re
from typing import Final

_ESCAPE: Final = re.compile(rb"\\(?:([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|(.?))", re.DOTALL)
_CONTROL: Final = {b"n": b"\n", b"r": b"\r", b"b": b"\b", b"t": b"\t", b"f": b"\f", b"v": b"\v"}
# strtoul(3) with base 0.
_NUMBER: Final = re.compile(r"\s*([+-]?)(?:0[xX]([0-9a-fA-F]{1,16})|(0[0-7]{0,21})|([1-9]\d{0,18}))", re.ASCII)
_MASK: Final = re.compile(r"0x([0-9A-Fa-f]*)")
_FULL: Final = 4


def parsed_string(text: str) -> bytes:
    """The bytes of a string."""

    def replaced(match: re.Match[bytes]) -> bytes:
        if match[1]:
            return bytes([int(match[1], 8) & 0xFF])
        if match[2]:
            return bytes([int(match[2], 16)])
        return _CONTROL.get(match[3], match[3])

    return _ESCAPE.sub(replaced, text.encode())


def parsed_number(text: str, size: int, *, is_little: bool, is_cut: bool = False) -> bytes:
    """A number in `size` bytes; what is too large for one or two of them is wrong unless it is cut."""
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise LookupError(text)
    sign, hexadecimal, octal, decimal = match.groups()
    number = int(hexadecimal, 16) if hexadecimal else int(octal, 8) if octal else int(decimal)
    number = (-number if sign == "-" else number) & 0xFFFFFFFFFFFFFFFF
    if not is_cut and size < _FULL and number >> (8 * size):
        raise LookupError(text)
    return (number & ((1 << 8 * size) - 1)).to_bytes(size, "little" if is_little else "big")


def parsed_mask(text: str, size: int) -> bytes:
    """A mask of as many bytes as the string has; what it does not tell is 0."""
    match = _MASK.fullmatch(text)
    if match is None or len(match[1]) > 2 * size:
        raise LookupError(text)
    return bytes.fromhex(match[1].ljust(2 * size, "0"))
