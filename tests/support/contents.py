"""What an OCI layout holds: its image's config, and every path with its content."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Contents:
    """An image as a container would see it.

    Attributes:
        config: Of the container: `Entrypoint`, `Env` and so on.
        files: Absolute path → content, of files; links and folders have none.
    """

    config: dict[str, Any]
    files: dict[str, bytes]

    @property
    def environment(self) -> dict[str, str]:
        """The container's variables."""
        return dict(entry.split("=", 1) for entry in self.config["Env"])

    def below(self, folder: str) -> set[str]:
        """The paths of the files below a folder, relative to it."""
        prefix = folder.rstrip("/") + "/"
        return {path.removeprefix(prefix) for path in self.files if path.startswith(prefix)}


def read_contents(layout: Path) -> Contents:
    """Read the only image of a layout; upper layers go before lower ones."""

    def blob(digest: str) -> bytes:
        return (layout / "blobs" / digest.replace(":", "/")).read_bytes()

    (top,) = json.loads((layout / "index.json").read_text())["manifests"]
    manifest = json.loads(blob(top["digest"]))
    files: dict[str, bytes] = {}
    for layer in manifest["layers"]:
        with tarfile.open(fileobj=io.BytesIO(gzip.decompress(blob(layer["digest"])))) as tar:
            for member in tar:
                stream = tar.extractfile(member) if member.isreg() else None
                if stream is not None:
                    files[f"/{member.name}"] = stream.read()
    return Contents(json.loads(blob(manifest["config"]["digest"]))["config"], files)
