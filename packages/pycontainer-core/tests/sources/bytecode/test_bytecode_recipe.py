"""A layer of bytecode has what Python looks for beside the sources of other layers, and nothing else."""

from __future__ import annotations

import hashlib
import io
import marshal
import sys
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.util import MAGIC_NUMBER
from pathlib import Path
from types import CodeType

import pytest

from pycontainer.events import Event, Noted
from pycontainer.layers.cache import LayerCache
from pycontainer.layers.layer import Layer
from pycontainer.layers.recipe import LaterRecipe, Recipe
from pycontainer.sources.bytecode import BytecodeRecipe, HostPython, Places
from pycontainer.sources.files import DirectoryRecipe, FilesRecipe
from pycontainer.sources.files.collect import SourceFile
from pycontainer.sources.files.recipe import PlacedFile
from pycontainer.sources.target import PythonVersion
from pycontainer.sources.wheels import Environment, WheelInput, WheelsRecipe
from pycontainer.testing.wheels import WheelForge

VERSION = PythonVersion.parse(sys.version.split()[0])
TAG = sys.implementation.cache_tag
ENVIRONMENT = Environment(python=VERSION, owner=(1000, 1001))
SITE = ENVIRONMENT.site_packages.strip("/")
PLACES = Places(imported=("app/", f"{SITE}/", "usr/lib/python3/"), passed_over=("app/.venv/",))


def python(version: str = str(VERSION)) -> HostPython:
    return HostPython(
        path=Path(sys.executable),
        version=version,
        feature=VERSION.feature,
        is_final=True,
        free_threaded=False,
        cache_tag=TAG,
    )


@dataclass(frozen=True)
class Workshop:
    """Where layers are made."""

    cache: LayerCache
    folder: Path

    def bytecode(self, *recipes: Recipe, **fields: object) -> BytecodeRecipe:
        known = {recipe.key: recipe for recipe in recipes}

        def open_layer(key: str) -> Layer:
            return self.cache.layer(self.cache.make(known[key]))

        recipe = BytecodeRecipe(
            sources=tuple(known), open_layer=open_layer, python=python(), places=PLACES, title="bytecode of x"
        )
        return replace(recipe, **fields)  # type: ignore[arg-type]

    def wheels(self, *forges: WheelForge) -> WheelsRecipe:
        return WheelsRecipe(wheels=tuple(map(self._wheel, forges)), environment=ENVIRONMENT)

    def _wheel(self, forge: WheelForge) -> WheelInput:
        path = forge.write(self.folder)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        return WheelInput(
            name=forge.name, version=forge.version, filename=forge.filename, sha256=digest, open_path=lambda: path
        )

    def members(self, recipe: Recipe) -> dict[str, tuple[tarfile.TarInfo, bytes]]:
        """What a layer has, by path."""
        with self.cache.layer(self.cache.make(recipe)).open() as stream:
            data = stream.read()
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            return {member.name: (member, file.read() if (file := tar.extractfile(member)) else b"") for member in tar}


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return Workshop(LayerCache(tmp_path / "layers"), tmp_path)


def files(members: dict[str, tuple[tarfile.TarInfo, bytes]]) -> set[str]:
    return {path for path, (member, _) in members.items() if not member.isdir()}


def code(content: bytes) -> CodeType:
    """The code of bytecode, whose head is as PEP 552 has it for an unchecked hash."""
    assert content[:8] == MAGIC_NUMBER + b"\1\0\0\0"
    value = marshal.loads(content[16:])  # noqa: S302 - made here
    assert isinstance(value, CodeType)
    return value


FORGE = WheelForge(
    files={
        "demo/__init__.py": b"x = 1\n",
        "demo/sub/two.py": b"y = 2\n",
        "demo/template.py": b"x = {{ x }}-\n",
        "demo/data.txt": b"",
        "demo-1.0.data/scripts/run.py": b"#!python\nprint()\n",
        "demo-1.0.data/data/share/demo/plugin.py": b"",
    }
)


def test_modules_of_packages_are_compiled_and_scripts_are_not(workshop: Workshop) -> None:
    events: list[Event] = []
    wheels = workshop.wheels(FORGE)
    members = workshop.members(workshop.bytecode(wheels, emit=events.append))
    assert files(members) == {
        f"{SITE}/demo/__pycache__/__init__.{TAG}.pyc",
        f"{SITE}/demo/sub/__pycache__/two.{TAG}.pyc",
    }
    member, content = members[f"{SITE}/demo/sub/__pycache__/two.{TAG}.pyc"]
    assert (member.mode, member.uid, member.gid) == (0o644, 0, 0)
    assert code(content).co_filename == f"/{SITE}/demo/sub/two.py"
    assert events == [Noted(message="bytecode of x: 1 of 3 files have none", detail=True)]


def test_directories_are_those_of_the_sources(workshop: Workshop) -> None:
    wheels = workshop.wheels(FORGE)
    before, after = workshop.members(wheels), workshop.members(workshop.bytecode(wheels))
    for path, (member, _) in after.items():
        if member.isdir() and not path.endswith("__pycache__"):
            theirs = before[path][0]
            assert (member.mode, member.uid, member.gid) == (theirs.mode, theirs.uid, theirs.gid), path
    assert (after["app"][0].uid, after["app"][0].gid) == (1000, 1001)
    parts = f"{SITE}/demo/sub/__pycache__".split("/")
    assert {"/".join(parts[:count]) for count in range(1, len(parts) + 1)} <= set(after)


def test_files_of_a_project_are_compiled_with_their_owner(workshop: Workshop, tmp_path: Path) -> None:
    recipe = project(tmp_path, {"/app/main.py": b"print()\n", "/etc/app/settings.py": b"x = 1\n", "/app/link.py": None})
    members = workshop.members(workshop.bytecode(recipe))
    assert files(members) == {f"app/__pycache__/main.{TAG}.pyc"}
    for path in ("app/__pycache__", f"app/__pycache__/main.{TAG}.pyc"):
        assert (members[path][0].uid, members[path][0].gid) == (7, 8)


def project(folder: Path, contents: dict[str, bytes | None]) -> FilesRecipe:
    """A layer of files, of links where there is no content."""
    placed = []
    for number, (destination, content) in enumerate(contents.items()):
        source = f"source-{number}-{len(list(folder.iterdir()))}"
        (folder / source).write_bytes(content or b"")
        file = SourceFile(
            path=source,
            root=folder,
            size=len(content or b""),
            sha256=hashlib.sha256(content or b"").hexdigest(),
            target="elsewhere.py" if content is None else None,
        )
        placed.append(PlacedFile(file=file, destination=destination, uid=7, gid=8))
    return FilesRecipe(title="files", files=tuple(placed), directories={"/app": (0o755, 7, 8)})


def test_of_two_files_the_upper_one_counts(workshop: Workshop, tmp_path: Path) -> None:
    lower = workshop.wheels(FORGE)
    upper = project(tmp_path, {f"/{SITE}/demo/__init__.py": b"patched = 2\n"})
    members = workshop.members(workshop.bytecode(lower, upper))
    content = members[f"{SITE}/demo/__pycache__/__init__.{TAG}.pyc"][1]
    assert code(content).co_names == ("patched",)


def test_what_is_too_long_too_large_or_no_module_has_none(workshop: Workshop, tmp_path: Path) -> None:
    long = "l" * 250
    contents: dict[str, bytes | None] = {
        f"/app/{long}.py": b"x = 1\n",
        "/app/large.py": b"#" * ((8 << 20) + 1),
        "/app/data.pyi": b"",
        "/app/just-large-enough.py": b"#" * (8 << 20),
    }
    members = workshop.members(workshop.bytecode(project(tmp_path, contents)))
    assert files(members) == {f"app/__pycache__/just-large-enough.{TAG}.pyc"}


@pytest.mark.parametrize("content", [b"broken ]\n", b"#" * ((8 << 20) + 1), None], ids=["broken", "large", "link"])
def test_no_bytecode_of_a_replaced_file_stays(workshop: Workshop, tmp_path: Path, content: bytes | None) -> None:
    upper = project(tmp_path, {f"/{SITE}/demo/__init__.py": content})
    name = f"{SITE}/demo/__pycache__/__init__.{TAG}.pyc"
    assert files(workshop.members(workshop.bytecode(upper))) == set()
    covering = workshop.members(workshop.bytecode(upper, covers=True))
    assert files(covering) == {name}
    assert covering[name][1] == b""
    assert files(workshop.members(workshop.bytecode(workshop.wheels(FORGE), upper))).isdisjoint({name})


def test_a_layer_without_sources_is_an_empty_one(workshop: Workshop) -> None:
    assert workshop.members(workshop.bytecode(DirectoryRecipe(title="x", directories={"/app": (0o755, 1, 1)}))) == {}


def test_the_key_is_known_before_a_source_is_and_has_all_that_the_bytes_depend_on(workshop: Workshop) -> None:
    wheels = workshop.wheels(FORGE)
    recipe = workshop.bytecode(wheels)
    others: Sequence[Recipe] = [
        workshop.bytecode(wheels, python=python("3.99.1")),
        workshop.bytecode(wheels, places=Places(imported=("app/",))),
        workshop.bytecode(wheels, covers=True),
        workshop.bytecode(workshop.wheels(replace(FORGE, version="1.1"))),
        workshop.bytecode(wheels, python=replace(python(), free_threaded=True)),
    ]
    assert len({recipe.key, *(other.key for other in others)}) == 6
    assert workshop.bytecode(wheels, title="another").key == recipe.key
    assert workshop.bytecode(wheels, python=replace(python(), path=Path("/elsewhere"))).key == recipe.key
    assert isinstance(recipe, LaterRecipe)
    assert recipe.after == (wheels.key,)
    assert workshop.cache.get(wheels.key) is None


def test_equal_keys_give_equal_bytes(workshop: Workshop, tmp_path: Path) -> None:
    forges = [FORGE, WheelForge(name="other", files={"other/a.py": b"'a b'\n", "other/b.py": b"{'a b', 'c', 1}\n"})]
    first = workshop.cache.make(workshop.bytecode(workshop.wheels(*forges)))
    again = Workshop(LayerCache(tmp_path / "again"), tmp_path)
    second = again.cache.make(again.bytecode(again.wheels(*forges)))
    assert (first.key, first.descriptor.digest) == (second.key, second.descriptor.digest)


@pytest.mark.parametrize(
    ("path", "compiled"),
    [
        ("app/main.py", True),
        ("app/.venv/bin/run.py", False),
        (f"{SITE}/x.py", True),
        ("usr/lib/python3/x.py", True),
        ("usr/lib/python3.py", False),
        ("etc/x.py", False),
        ("app/x.pyc", False),
    ],
)
def test_places(path: str, *, compiled: bool) -> None:
    assert PLACES.has(path) is compiled
    assert Places(imported=("",)).has(path) is path.endswith(".py")
