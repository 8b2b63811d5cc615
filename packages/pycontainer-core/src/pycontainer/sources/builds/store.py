"""Wheels that were built before, by what they were built from."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from pycontainer.blobs.records import load_record, save_record
from pycontainer.blobs.store import BlobStore
from pycontainer.errors import DocumentError
from pycontainer.oci import Descriptor, Digest
from pycontainer.sources.locks.filenames import parse_wheel


@dataclass(frozen=True, kw_only=True, slots=True)
class BuiltWheel:
    """A wheel in the store of built wheels.

    Attributes:
        path: Named by its digest, not by its file name.
        filename: `name-version-tags.whl`.
        sha256: Hexadecimal.
        size: In bytes.
    """

    path: Path
    filename: str
    sha256: str
    size: int

    @property
    def is_pure(self) -> bool:
        """Whether it runs on any platform: `none-any`."""
        name = parse_wheel(self.filename)
        return name is not None and name.abis == ["none"] and name.platforms == ["any"]

    def copy_to(self, directory: Path) -> Path:
        """A copy of it, under its own name."""
        return Path(shutil.copyfile(self.path, directory / self.filename))


class BuiltWheels:
    """A folder of built wheels.

    root/built/<key>.json       which wheel was built from the inputs of this key
    root/blobs/sha256/<hex>     the wheels
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._blobs = BlobStore(root)

    def get(self, key: str) -> BuiltWheel | None:
        """The wheel of a key, its bytes checked; none where it has to be built."""
        content = load_record(self._record(key))
        if content is None:
            return None
        try:
            record = json.loads(content)
            digest = Digest("sha256", record["sha256"])
            wheel = self._wheel(digest, str(record["filename"]), int(record["size"]))
            descriptor = Descriptor(media_type="application/zip", digest=digest, size=wheel.size)
            fits = record.get("key") == key and parse_wheel(wheel.filename) is not None
            return wheel if fits and self._blobs.blob(descriptor).use() else None
        except (OSError, ValueError, KeyError, TypeError, DocumentError):
            return None

    def put(self, key: str | None, built: Path) -> BuiltWheel:
        """Take a wheel that was just built, in its canonical bytes; without a key it will not be found again.

        Raises:
            WheelBuildError: It is no wheel.
            StoreError: It cannot be stored.
        """
        from pycontainer.sources.builds.canonical import canonical_wheel  # noqa: PLC0415 - not for one that was built

        with self._blobs.writer() as writer:
            canonical_wheel(built, writer)
            size = writer.size
            digest = writer.commit()
        if key is not None:
            record = {"key": key, "filename": built.name, "sha256": digest.hex, "size": size}
            save_record(self._record(key), json.dumps(record).encode())
        return self._wheel(digest, built.name, size)

    def _record(self, key: str) -> Path:
        return self._root / "built" / f"{key}.json"

    def _wheel(self, digest: Digest, filename: str, size: int) -> BuiltWheel:
        return BuiltWheel(path=self._blobs.path(digest), filename=filename, sha256=digest.hex, size=size)
