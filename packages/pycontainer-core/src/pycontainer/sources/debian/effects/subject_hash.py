"""The number that OpenSSL looks certificates up by: a hash of the subject's name in a canonical form.

    subject_hash(certificate)      # "4042bcee", of PEM or DER

The name is encoded anew before it is hashed (X509_NAME_hash(3)): texts as UTF-8, in lower case, without blanks at
their ends and with single blanks inside; the outer SEQUENCE is left out. The first four bytes of its SHA-1, in the
order of little-endian machines, are the number.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from typing import TYPE_CHECKING, Final

from pycontainer.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Iterator

_PEM: Final = re.compile(rb"-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----\s+([A-Za-z0-9+/=\s]+?)-----END ")
_SEQUENCE, _SET, _UTF8, _VERSION = 0x30, 0x31, 0x0C, 0xA0
# UTF8String, PrintableString, T61String, IA5String, VisibleString; UniversalString; BMPString.
_ENCODINGS: Final = {0x0C: "utf-8", 0x13: "latin-1", 0x14: "latin-1", 0x16: "latin-1", 0x1A: "latin-1",
                     0x1C: "utf-32-be", 0x1E: "utf-16-be"}  # fmt: skip
_BLANKS: Final = re.compile("[ \t\n\v\f\r]+")
# serialNumber, signature, issuer, validity, subject
_BEFORE_SUBJECT: Final = 4
_LONG: Final = 0x80
_MAX_LENGTH: Final = 4


def subject_hash(certificate: bytes) -> str:
    """Eight hexadecimal digits.

    Raises:
        DocumentError: It is no certificate.
    """
    try:
        match = _PEM.search(certificate)
        der = base64.b64decode(match[1]) if match else certificate
        canonical = b"".join(_name(_subject(der)))
    except (ValueError, IndexError, StopIteration, binascii.Error) as error:
        raise DocumentError("A certificate cannot be read") from error
    digest = hashlib.sha1(canonical, usedforsecurity=False).digest()
    return f"{int.from_bytes(digest[:4], 'little'):08x}"


def _subject(der: bytes) -> bytes:
    """The content of the subject (RFC 5280, 4.1)."""
    certificate = _only(der, _SEQUENCE)
    fields = list(_elements(next(_elements(certificate))[1]))
    place = _BEFORE_SUBJECT + (fields[0][0] == _VERSION)
    tag, content = fields[place]
    if tag != _SEQUENCE:
        raise ValueError(tag)
    return content


def _name(content: bytes) -> Iterator[bytes]:
    for tag, relative in _elements(content):
        if tag != _SET:
            raise ValueError(tag)
        attributes = [_attribute(attribute) for _, attribute in _elements(relative)]
        yield _encoded(_SET, b"".join(sorted(attributes)))


def _attribute(content: bytes) -> bytes:
    (kind_tag, kind), (tag, value) = _elements(content)
    encoding = _ENCODINGS.get(tag)
    if encoding is not None:
        text = _BLANKS.sub(" ", value.decode(encoding)).strip(" ")
        # Only the letters of ASCII have a lower case here.
        value = text.encode().lower()
        tag = _UTF8
    return _encoded(_SEQUENCE, _encoded(kind_tag, kind) + _encoded(tag, value))


def _only(data: bytes, tag: int) -> bytes:
    found, content = next(_elements(data))
    if found != tag:
        raise ValueError(found)
    return content


def _elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and content of each element (X.690, 8.1)."""
    place = 0
    while place < len(data):
        tag, length = data[place], data[place + 1]
        place += 2
        if length >= _LONG:
            count = length - _LONG
            if not 0 < count <= _MAX_LENGTH:
                raise ValueError(length)
            length = int.from_bytes(data[place : place + count], "big")
            place += count
        if place + length > len(data):
            raise ValueError(length)
        yield tag, data[place : place + length]
        place += length


def _encoded(tag: int, content: bytes) -> bytes:
    length = len(content)
    if length < _LONG:
        return bytes([tag, length]) + content
    size = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, _LONG | len(size)]) + size + content
