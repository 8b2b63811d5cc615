from __future__ import annotations

import email
import json
import tarfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pycontainer.builder import BuildResult, ImageBuilder
from pycontainer.config import BuildConfig
from pycontainer.destinations.layout import LayoutDestination
from pycontainer.sources.locks.filenames import normalize
from pycontainer.testing.images import debian_like
from pycontainer.testing.index_server import IndexServer, serving
from pycontainer.testing.wheels import WheelForge


@dataclass
class Workshop:
    """A project whose lock names wheels of a real index, and a base to build on."""

    root: Path
    base: Path
    index: IndexServer
    locked: list[str] = field(default_factory=list)

    def lock(
        self,
        name: str,
        version: str = "1.0",
        *,
        metadata: str = "",
        address: str | None = None,
        files: Mapping[str, bytes] | None = None,
    ) -> None:
        """Publish a wheel with these lines of METADATA and these files, and lock it."""
        module = name.replace("-", "_")
        forge = WheelForge(
            name=name,
            version=version,
            files={f"{module}.py": b"x = 1\n", **(files or {})},
            metadata=f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n{metadata}".encode(),
        )
        content = forge.build()
        digest = self.index.add(name, forge.filename, content)
        url = f"{address or self.index.url}/files/{forge.filename.replace('+', '%2B')}"
        self.locked.append(
            f'[[packages]]\nname = "{name}"\nversion = "{version}"\nwheels = [{{ name = "{forge.filename}", '
            f'url = {json.dumps(url)}, size = {len(content)}, hashes = {{ sha256 = "{digest}" }} }}]\n'
        )
        lock = 'lock-version = "1.0"\ncreated-by = "test"\n\n' + "\n".join(self.locked)
        (self.root / "pylock.toml").write_text(lock)

    def build(self, cache: str = "cache", **options: object) -> BuildResult:
        given: dict[str, object] = {
            "context_path": self.root,
            "base_image": f"oci:{self.base}",
            "platform": "linux/amd64",
            "generate_sbom": "spdx",
            "cache_dir": self.root.parent / cache,
            "tag": "ghcr.io/acme/api:1.4",
        }
        return ImageBuilder(BuildConfig(**{**given, **options})).build()  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def small_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("base") / "layout"
    LayoutDestination(path).write(debian_like("3.12.4"))
    return path


@pytest.fixture
def workshop(tmp_path: Path, small_base: Path) -> Iterator[Workshop]:
    root = tmp_path / "project"
    root.mkdir()
    (root / "main.py").write_text("print('hello')\n")
    (root / "pyproject.toml").write_text('[project]\nname = "Api"\nversion = "0.1"\n')
    with serving() as index:
        yield Workshop(root=root, base=small_base, index=index)


def _installed(layout: Path, base_layers: int = 2) -> dict[tuple[str, str], str]:
    """What is really in an image: name and version by METADATA of each `.dist-info` → the layer's blob."""
    index = json.loads((layout / "index.json").read_text())
    manifest = json.loads(_blob(layout, index["manifests"][0]["digest"]).read_bytes())
    found = {}
    for layer in manifest["layers"][base_layers:]:
        with tarfile.open(_blob(layout, layer["digest"])) as tar:
            for member in tar:
                if member.name.endswith(".dist-info/METADATA"):
                    content = tar.extractfile(member)
                    assert content is not None
                    message = email.message_from_binary_file(content)
                    found[normalize(message["Name"]), message["Version"]] = layer["digest"]
    return found


def _blob(layout: Path, digest: str) -> Path:
    return layout / "blobs" / digest.replace(":", "/")


@pytest.fixture
def installed() -> Callable[[Path], dict[tuple[str, str], str]]:
    """Ask what distributions the layers above the small base hold."""
    return _installed
