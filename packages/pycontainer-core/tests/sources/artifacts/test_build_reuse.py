import hashlib
import zipfile
from pathlib import Path

from pycontainer.blobs.fingerprints import Fingerprints
from pycontainer.events import Event, TaskFinished, TaskStarted
from pycontainer.oci import Platform
from pycontainer.sources.builds.backend import Backend, tree_key
from pycontainer.sources.builds.builder import WheelBuilder
from pycontainer.sources.locks import Artifact
from pycontainer.sources.target import Libc, PythonVersion, Target

# A Python that no host has: whoever looks for it falls back to another one.
NOWHERE = Target(platform=Platform("linux", "amd64"), python=PythonVersion(3, 99), libc=Libc("glibc", 2, 36))


def not_called(artifact: Artifact) -> Path:
    raise AssertionError(artifact)


def test_a_wheel_that_was_built_before_needs_neither_uv_nor_its_python(tmp_path: Path, heard: list[Event]) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
        '[project]\nname = "demo"\nversion = "1.0"\n'
    )
    wheel = tmp_path / "demo-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name in ("METADATA", "WHEEL", "RECORD"):
            archive.writestr(f"demo-1.0.dist-info/{name}", "")
    builder = WheelBuilder(
        tmp_path / "cache", find_uv=lambda: None, fetch=not_called, root=tree, environment={}, emit=heard.append
    )
    unknown = Fingerprints(None)
    key = tree_key(tree, Backend.of(tree), variables=builder._fixed, python="3.99", fingerprints=unknown)
    stored = builder._store.put(key, wheel)

    found = builder.build_tree(tree, NOWHERE)

    assert found.sha256 == hashlib.sha256(stored.path.read_bytes()).hexdigest()
    assert [event.reused for event in heard if isinstance(event, TaskFinished)] == [True]
    assert not any(isinstance(event, TaskStarted) for event in heard)
