"""The seam between the entries of a layer and its bytes.

    form = open_form(Compression.GZIP, sink)
    form.add(Head("app/main.py", Kind.FILE, 7), (b"print()",))
    descriptor, diff_id = form.finish()
    form.close()

What may stand in a layer is for `LayerWriter` to know; a form gets entries that are right, each once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from pycontainer.layers.forms.compression import Compression

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pycontainer.blobs.hashing import BytesLike, Sink
    from pycontainer.layers.member import DeflatedMember
    from pycontainer.layers.tar import Head
    from pycontainer.oci import Descriptor, Digest


class LayerForm(Protocol):
    """One layer in the making. Equal calls give equal bytes, on any host, at any time."""

    def add(self, head: Head, content: Iterable[BytesLike]) -> None:
        """An entry and its content, of `head.size` bytes in pieces of any size."""
        ...

    def add_member(
        self, head: Head, member: DeflatedMember, content: Iterable[BytesLike], sha256: Callable[[], bytes]
    ) -> None:
        """A file of which somebody has the compressed bytes.

        Args:
            head: What stands before it.
            member: The compressed bytes.
            content: What they unpack to. It is checked while it is read, and small ones come in one piece.
            sha256: The hash of the content, good once all of it was read.
        """
        ...

    def finish(self) -> tuple[Descriptor, Digest]:
        """End the layer: its descriptor, and the digest of the uncompressed tar. Asked once."""
        ...

    def close(self) -> None:
        """Let go of threads; the sink belongs to whoever opened it."""
        ...


def open_form(compression: Compression, sink: Sink) -> LayerForm:
    """A layer of a form, written to `sink`.

    Raises:
        ToolError: What compresses so is not installed.
    """
    if compression is Compression.ZSTD:
        from pycontainer.layers.forms.zstd import ZstdForm  # noqa: PLC0415 - its library is an extra

        return ZstdForm(sink)
    if compression is Compression.ESTARGZ:
        from pycontainer.layers.forms.estargz import EStargzForm  # noqa: PLC0415 - few images want it

        return EStargzForm(sink)
    from pycontainer.layers.forms.spliced import SplicedForm  # noqa: PLC0415 - the others do not

    return SplicedForm(sink)
