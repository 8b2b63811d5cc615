"""Layer records: what is known of a layer without having its bytes.

decode_record(encode_record(record)) == record
"""

from __future__ import annotations

import msgspec

from pycontainer.errors import DocumentError
from pycontainer.layers.linkage import LinkedLibraries
from pycontainer.oci import Descriptor, Digest


class BundledPart(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something of others that a distribution brings: a library that was copied into it, a crate compiled into it.

    `purl` is what a bill of materials within the distribution calls it; `sha256` that of its file.
    """

    name: str
    version: str | None = None
    purl: str | None = None
    license: str | None = None
    sha256: str | None = None


class ShippedSbom(msgspec.Struct, frozen=True, kw_only=True):
    """A bill of materials that a distribution brings (PEP 770): its path in the image, relative to the root."""

    path: str
    sha256: str


class PackageContents(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A distribution that a layer installs. `name` is normalised (PEP 503); `sha256` is the wheel's.

    `license` is an SPDX expression, or what else the wheel's metadata declares; records made before it was written down
    have none. `libraries` has the shared libraries that its files bring and need, one value an architecture. `requires`
    has what it declares to need, as written (`Requires-Dist`); `bundled` what of others it brings, as far as its own
    bills of materials (`sboms`) and its `.libs` tell.
    """

    name: str
    version: str
    sha256: str | None = None
    files: int = 0
    size: int = 0
    startup_files: tuple[str, ...] = ()
    license: str | None = None
    libraries: tuple[LinkedLibraries, ...] = ()
    requires: tuple[str, ...] = ()
    bundled: tuple[BundledPart, ...] = ()
    sboms: tuple[ShippedSbom, ...] = ()


class LayerContents(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a layer holds. `size` is the bytes of its files, unpacked.

    `libraries` has the shared libraries of files that belong to none of the packages.
    """

    packages: tuple[PackageContents, ...] = ()
    files: int = 0
    size: int = 0
    warnings: tuple[str, ...] = ()
    libraries: tuple[LinkedLibraries, ...] = ()


class LayerRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A recipe's key and the layer it gives."""

    key: str
    title: str
    descriptor: Descriptor
    diff_id: Digest
    contents: LayerContents = LayerContents()


def encode_record(record: LayerRecord) -> bytes:
    """A record as JSON: nothing secret is in it, and nothing of this host."""
    return msgspec.json.encode(record, enc_hook=str)


def decode_record(content: bytes) -> LayerRecord:
    """Read a record.

    Raises:
        DocumentError: It is not one.
    """
    try:
        return _DECODER.decode(content)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise DocumentError("A layer record is malformed", facts=[str(error)]) from error


def _decode(kind: type, value: object) -> Digest:
    if kind is not Digest or not isinstance(value, str):
        raise ValueError(f"no {kind.__name__}")
    return Digest.parse(value)


# Made once, by the thread that imports: msgspec looks at a type when it first decodes it, and two at once crash.
_DECODER = msgspec.json.Decoder(LayerRecord, dec_hook=_decode)
