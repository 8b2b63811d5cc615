"""JSON that is named by its digest: read strictly, kept as read, written in one canonical form.

manifest = Manifest.from_bytes(body)     # keeps `body`
manifest.to_bytes() == body
canonical_json({"b": 1, "a": 2}) == b'{"a":2,"b":1}'
"""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

import msgspec

from pycontainer.errors import DocumentError
from pycontainer.oci.descriptor import Descriptor
from pycontainer.oci.digest import Digest

if TYPE_CHECKING:
    from typing_extensions import Self

# Peers cap manifests between 4 MiB (containers/image) and 100 MiB (go-containerregistry).
MAX_DOCUMENT_SIZE = 4 * 1024 * 1024

# msgspec looks at a type when it is first converted to, and crashes where two threads do so at once.
_CONVERTING = threading.Lock()


def canonical_json(value: Any) -> bytes:
    """UTF-8 JSON with sorted keys and no spaces: the one form in which this project hashes documents."""
    text = json.dumps(
        msgspec.to_builtins(value, enc_hook=_encode), sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    return text.encode()


def strict_json(raw: bytes, *, what: str, limit: int = MAX_DOCUMENT_SIZE) -> Any:
    """Read JSON as I-JSON: UTF-8, no duplicate keys, no NaN, no depth that exhausts the stack.

    Raises:
        DocumentError: The bytes are not such a document; `what` names it in the message.
    """
    if len(raw) > limit:
        raise DocumentError(f"{what} is larger than {limit >> 20} MiB", facts=[f"size: {len(raw)} bytes"])
    try:
        return json.loads(raw.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant)
    except RecursionError as error:
        raise DocumentError(f"{what} is nested too deeply") from error
    except ValueError as error:
        raise DocumentError(f"{what} is not valid JSON", facts=[str(error)]) from error


def _encode(value: Any) -> str:
    if isinstance(value, Digest):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _decode(kind: type, value: Any) -> Any:
    if kind is Digest and isinstance(value, str):
        return Digest.parse(value)
    raise ValueError(f"expected `{kind.__name__}`")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"the key `{twice}` appears twice")
    return result


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"`{name}` is not JSON")


def written(default: Any) -> Any:
    """A default that is written all the same: `omit_defaults` must not drop what the specification requires."""
    return msgspec.field(default_factory=lambda: default)


class Document(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True, dict=True):
    """A frozen JSON document. One that was read keeps its bytes; a changed copy is serialised canonically."""

    what: ClassVar[str] = "document"
    limit: ClassVar[int] = MAX_DOCUMENT_SIZE  # bytes of one that is read

    @classmethod
    def from_bytes(cls, raw: bytes) -> Self:
        """Read a document and keep its bytes, so that its digest stays what it was.

        Unknown fields are allowed and `null` means absent, as the image-spec asks.

        Raises:
            DocumentError: Not strict JSON, or a field of the wrong type.
        """
        value = _without_null(strict_json(raw, what=cls.what, limit=cls.limit))
        try:
            with _CONVERTING:
                document = msgspec.convert(value, cls, dec_hook=_decode)
        except msgspec.ValidationError as error:
            raise DocumentError(f"{cls.what} is malformed", facts=[str(error)]) from error
        document.__dict__["raw"] = bytes(raw)
        return document

    def to_bytes(self) -> bytes:
        """The bytes it was read from, or its canonical form."""
        raw = self.__dict__.get("raw")
        if raw is None:
            raw = self.__dict__["raw"] = canonical_json(self)
        return bytes(raw)

    def describe(self, media_type: str, **fields: Any) -> Descriptor:
        """The descriptor of these bytes."""
        raw = self.to_bytes()
        return Descriptor(media_type=media_type, digest=Digest.of(raw), size=len(raw), **fields)


def _without_null(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_null(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_null(item) for item in value]
    return value
