from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from pycontainer.destinations.layout import LayoutDestination
from pycontainer.image import Image
from pycontainer.oci import Platform
from pycontainer.reading import ImageReader, OpenedImage
from pycontainer.testing.images import File
from pycontainer.transports.registry import RegistryClient, RegistrySettings

AMD64 = Platform("linux", "amd64")
SITE = "app/.venv/lib/python3.12/site-packages"


def _distribution(
    name: str,
    version: str = "1.0",
    *,
    site: str = SITE,
    files: dict[str, bytes] | None = None,
    metadata: Sequence[str] = (),
) -> list[File]:
    contents = {f"{name}/__init__.py": b"x = 1\n", **(files or {})}
    info = f"{name}-{version}.dist-info"
    lines = ["Metadata-Version: 2.4", f"Name: {name}", f"Version: {version}", *metadata, "", "Text\n"]
    contents[f"{info}/METADATA"] = "\n".join(lines).encode()
    rows = [f"{path},sha256={_encoded(content)},{len(content)}" for path, content in contents.items()]
    contents[f"{info}/RECORD"] = "\n".join([*rows, f"{info}/RECORD,,", ""]).encode()
    return [File(f"{site}/{path}", content) for path, content in contents.items()]


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


@pytest.fixture
def distribution() -> Callable[..., list[File]]:
    """The files of an installed distribution, as any installer leaves them."""
    return _distribution


@pytest.fixture
def reader() -> Iterator[ImageReader]:
    """A reader on a host without a cache."""
    client = RegistryClient(RegistrySettings())
    yield ImageReader(client, home=None, platform=AMD64)
    client.close()


@pytest.fixture
def opened(reader: ImageReader, tmp_path: Path) -> Callable[[Image], OpenedImage]:
    """An image, written to a directory and opened there."""

    def open_image(image: Image) -> OpenedImage:
        place = tmp_path / f"layout-{image.digest.hex[:12]}"
        LayoutDestination(place).write(image)
        return reader.open(f"oci:{place}")

    return open_image
