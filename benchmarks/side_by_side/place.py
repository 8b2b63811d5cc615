"""Where a contender builds: a registry of its own with the base image in it, next to an index.

with place(ground, index, base) as here:
    measured = here.watch(lambda: bench.publish(project, here.registry.reference("app:1")))
    measured.moved      # bytes from the index, from the registry and to it
"""

from __future__ import annotations

import json
import tarfile
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from real.bases import TAG
from real.engines import podman
from real.registry import Registry, registry
from uv import find_uv_bin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from side_by_side.measure import Measured
    from side_by_side.projects import Index

_MEDIA = "application/vnd.oci.image"


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A registry and an index, for one contender and one round.

    Attributes:
        root: A directory that is gone afterwards.
        base: The base image's reference.
        uv: The reference of an image that has uv, as recipes for Docker take it from.
    """

    root: Path
    registry: Registry
    index: Index
    base: str
    uv: str

    def watch(self, work: Callable[[], Measured]) -> Measured:
        """Do something measured, and count the bytes that it moved."""
        before = self._moved()
        measured = work()
        return replace(measured, moved=self._moved() - before)

    def _moved(self) -> int:
        return self.index.sent() + sum(each.sent for each in self.registry.requests()) + self.registry.stored()

    def storage(self, name: str) -> Path:
        """An empty directory: the storage of a host that has built nothing yet."""
        path = self.root / name
        path.mkdir()
        return path

    def check(self, reference: str, program: str) -> None:
        """Pull an image and run a Python program in it.

        Raises:
            AssertionError: It fails.
        """
        with TemporaryDirectory(dir=self.root, ignore_cleanup_errors=True) as root, podman(Path(root)) as engine:
            engine.pull(reference)
            options = ("--rm", "--network=none", *engine.run_options, "--entrypoint", "python3")
            engine.command("run", *options, reference, "-c", program)


@contextmanager
def place(ground: Path, index: Index, base: Path, *, every_platform: bool = False) -> Iterator[Place]:
    """A place of one's own below a directory, with the base image of a layout in its registry."""
    with TemporaryDirectory(dir=ground, ignore_cleanup_errors=True) as root:
        here = Path(root)
        with registry(here / "registry") as images:
            yield Place(
                root=here,
                registry=images,
                index=index,
                base=images.copy_in(base, TAG, f"python:{TAG}", every_platform=every_platform),
                uv=images.copy_in(uv_image(ground / "uv-image"), "local", "uv:local"),
            )


def uv_image(layout: Path) -> Path:
    """An OCI layout with an image that has uv alone: it stands for the one in uv's own registry."""
    if layout.exists():
        return layout
    blobs = layout / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    tar = layout / "layer.tar"
    with tarfile.open(tar, "w") as archive:
        archive.add(find_uv_bin(), "uv")
    content = tar.read_bytes()
    tar.unlink()
    layer = _put(blobs, content, f"{_MEDIA}.layer.v1.tar")
    config = {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]}}
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{_MEDIA}.manifest.v1+json",
        "config": _put(blobs, json.dumps(config).encode(), f"{_MEDIA}.config.v1+json"),
        "layers": [layer],
    }
    entry = _put(blobs, json.dumps(manifest).encode(), f"{_MEDIA}.manifest.v1+json")
    entry["annotations"] = {"org.opencontainers.image.ref.name": "local"}
    (layout / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))
    (layout / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    return layout


def _put(blobs: Path, content: bytes, media_type: str) -> dict[str, Any]:
    digest = sha256(content).hexdigest()
    (blobs / digest).write_bytes(content)
    return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(content)}
