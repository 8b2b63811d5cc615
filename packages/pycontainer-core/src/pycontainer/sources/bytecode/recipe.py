"""Layers of bytecode: what Python would write into `__pycache__` when it first imports a module, were it allowed to.

    recipe = BytecodeRecipe(sources=(wheels.key,), open_layer=open_layer, python=python, places=places, title=…)
    recipe.key                      # known before a source is read

The sources are those in the layers that have them, so that nothing has to be fetched to compile it. The bytecode has an
unchecked hash (PEP 552): the interpreter takes it without a look at the source, whatever time that has. Nobody lists it
in a `RECORD`, as installers do only for what they compile themselves.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

from pycontainer.blobs.compression import open_decompressed
from pycontainer.events import Emit, Noted, ignore
from pycontainer.layers.entries import Entry, Kind
from pycontainer.layers.recipe import recipe_key
from pycontainer.layers.record import LayerContents
from pycontainer.layers.tar_reader import read_entries
from pycontainer.sources.bytecode.compile import Compiler

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pycontainer.layers.layer import Layer
    from pycontainer.layers.writer import LayerWriter
    from pycontainer.sources.bytecode.interpreter import HostPython

# Part of every key: raised whenever the child gives other bytes for the same source.
_CHILD_VERSION: Final = 1
_CACHE: Final = "__pycache__"
# Sources beyond it are tables that somebody should have made a data file; each takes hundreds of times its size.
_MAX_SOURCE: Final = 8 << 20
_MAX_COMPONENT: Final = 255  # NAME_MAX


@dataclass(frozen=True, kw_only=True, slots=True)
class Places:
    """Where the modules are that Python imports; relative to the image's root, with a slash at the end.

    Attributes:
        imported: Directories whose sources are compiled, with all below them.
        passed_over: Directories among them whose sources are not, unless a longer one of `imported` has them.
    """

    imported: tuple[str, ...]
    passed_over: tuple[str, ...] = ()

    def has(self, path: str) -> bool:
        """Whether a file is the source of a module."""
        if not path.endswith(".py"):
            return False
        inside = max((len(place) for place in self.imported if path.startswith(place)), default=-1)
        outside = max((len(place) for place in self.passed_over if path.startswith(place)), default=-1)
        return inside > outside


@dataclass(frozen=True, kw_only=True)
class BytecodeRecipe:
    """A layer of bytecode.

    Attributes:
        sources: The keys of the layers whose files it compiles, lowest first: where two have a path, the upper counts.
        open_layer: Gives such a layer, by its key.
        python: Compiles.
        places: Which of their files are compiled.
        title: What the layer holds, for people: `bytecode of 14 packages`.
        covers: Whether layers below, which have bytecode, may have some of the same paths.
        emit: Told how many sources have no bytecode: they do not compile, are links, or too large.
    """

    sources: tuple[str, ...]
    open_layer: Callable[[str], Layer] = field(compare=False, repr=False)
    python: HostPython
    places: Places
    title: str
    covers: bool = False
    emit: Emit = field(default=ignore, compare=False, repr=False)

    @cached_property
    def key(self) -> str:
        """The key over the sources' layers and all that says what becomes of them: the full version of the compiler."""
        return recipe_key(
            "bytecode",
            {
                "sources": list(self.sources),
                "python": self.python.version,
                "tag": self.python.cache_tag,
                "free_threaded": self.python.free_threaded,
                "imported": list(self.places.imported),
                "passed_over": list(self.places.passed_over),
                "covers": self.covers,
                "child": _CHILD_VERSION,
            },
        )

    @property
    def after(self) -> tuple[str, ...]:
        """The layers that it reads."""
        return self.sources

    def write(self, writer: LayerWriter) -> LayerContents:
        """Read the layers, compile what Python will import, write the bytecode beside where it stands.

        Raises:
            ToolError: The interpreter does not start, crashes, or takes too long.
            IntegrityError: A layer was damaged since it was made.
        """
        files = size = failed = 0
        written: set[str] = set()
        with Compiler(self.python) as compiler:
            for source in self._found():
                name = self._name(source.entry.path)
                known = name and source.content is not None
                pyc = compiler.compile(source.entry.path, source.content or b"") if known else None
                files, size, failed = files + bool(pyc), size + len(pyc or b""), failed + (not pyc)
                if name and (pyc or self.covers):
                    self._write_directories(writer, source, written)
                    # An empty one is none to every interpreter, and hides that of the source which this one replaces.
                    # A whiteout would be seen as a device where there is nothing to hide.
                    writer.file(name, pyc or b"", uid=source.entry.uid, gid=source.entry.gid)
        if failed:
            self.emit(Noted(message=f"{self.title}: {failed} of {files + failed} files have none", detail=True))
        return LayerContents(files=files, size=size)

    def _found(self) -> Iterator[_Source]:
        """Every source once, from the uppermost layer down."""
        directories: dict[str, Entry] = {}
        seen: set[str] = set()
        for key in reversed(self.sources):
            layer = self.open_layer(key)
            with open_decompressed(layer.open(), layer.descriptor.media_type) as tar:
                for entry, content in read_entries(tar):
                    if entry.kind is Kind.DIRECTORY:
                        directories.setdefault(entry.path, entry)
                    elif entry.path not in seen and self.places.has(entry.path):
                        seen.add(entry.path)
                        # Links have none: whatever imports them looks beside the link, and hardly anything does.
                        compiled = entry.kind is Kind.FILE and entry.size <= _MAX_SOURCE
                        yield _Source(entry, content.read() if compiled else None, directories)

    def _name(self, path: str) -> str:
        """Where the bytecode of a source is looked for (PEP 3147); nowhere where the name would be too long."""
        folder, _, name = path.rpartition("/")
        cached = f"{name.removesuffix('.py')}.{self.python.cache_tag}.pyc"
        if len(cached.encode()) > _MAX_COMPONENT:
            return ""
        return f"{folder}/{_CACHE}/{cached}" if folder else f"{_CACHE}/{cached}"

    @staticmethod
    def _write_directories(writer: LayerWriter, source: _Source, written: set[str]) -> None:
        """The directories on the way, as the source's layer has them: an engine would make up others."""
        folder = source.entry.path.rpartition("/")[0]
        parts = folder.split("/") if folder else []
        own = "/".join([*parts, _CACHE])
        for path in (*("/".join(parts[: count + 1]) for count in range(len(parts))), own):
            entry = source.directories.get(path)
            if path in written or (entry is None and path != own):
                continue
            written.add(path)
            if entry is not None:
                writer.directory(path, mode=entry.mode, uid=entry.uid, gid=entry.gid)
            else:
                writer.directory(path, uid=source.entry.uid, gid=source.entry.gid)


@dataclass(frozen=True, slots=True)
class _Source:
    """A source, without content where it is not compiled, and the directories known by then: those above it are."""

    entry: Entry
    content: bytes | None
    directories: dict[str, Entry]
