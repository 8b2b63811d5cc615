"""`requirements.txt` as a lock: every requirement pinned, with or without hashes.

    lock = RequirementsLock.read(root / "requirements.txt", content)
    lock.unpinned                       # () or what an index would have to decide
    lock.select(target, Choice())

What is read: `name==version`, `name @ address`, addresses and paths alone, `-e`, markers, `--hash`, the includes `-r`
and `-c`, and `--index-url`, `--extra-index-url`, `--find-links`, `--no-index`, `--require-hashes`. The format names no
files: their names and addresses have to be asked for (`LockedPackage.files_listed` is false), and `--hash` says which
of them may be used. Where one requirement has hashes all must, as for pip.
"""

from __future__ import annotations

import hashlib
import os
import re
from typing import TYPE_CHECKING, Any

from pycontainer.errors import LockError
from pycontainer.oci import Digest
from pycontainer.sources.locks.addresses import redact, url_filename
from pycontainer.sources.locks.document import parse_toml, read_content
from pycontainer.sources.locks.filenames import normalize, parse_wheel
from pycontainer.sources.locks.markers import Markers
from pycontainer.sources.locks.model import Directory, File, Indexes, Lock, LockedPackage, Registry, Url, Vcs
from pycontainer.sources.locks.places import Places, checked_subdirectory, git_source, is_file, parse_hashes
from pycontainer.sources.locks.requirements_file import Line, RequirementsReader
from pycontainer.sources.locks.selection import chosen_names, single_versions

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pycontainer.sources.locks.model import Artifact, Choice, Source
    from pycontainer.sources.target import Target

_NAMED = re.compile(
    r"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[[^\]]*\])?\s*(?P<rest>[(@<>=!~;].*)?",
    re.ASCII | re.DOTALL,
)
_PIN = re.compile(r"===?\s*([A-Za-z0-9][A-Za-z0-9.!+_-]*)", re.ASCII)
_EXTRAS = re.compile(r"\[[A-Za-z0-9._, -]*\]$", re.ASCII)
_HASH = re.compile(r"[a-z0-9_]+:[0-9a-f]+", re.ASCII)
_STRONG = {"sha256": 64, "sha384": 96, "sha512": 128}


class _Requirement:
    """One requirement: what it asks for, under which marker, with which hashes."""

    __slots__ = ("address", "editable", "hashes", "line", "marker", "name", "version")

    def __init__(self, line: Line) -> None:
        self.line = line
        editable = line.values("--editable")
        self.editable = bool(editable)
        text = editable[0] if editable else line.text
        self.name: str | None = None
        self.version: str | None = None
        self.address: str | None = None
        self.marker: str | None = None
        self.hashes = self._hashes()
        match = _NAMED.fullmatch(text)
        if match is None or _is_place(text):
            self.address, self.marker = _split_marker(text)
            return
        self.name = normalize(match["name"])
        self._read_rest((match["rest"] or "").strip())

    def _read_rest(self, rest: str) -> None:
        if rest.startswith("@"):
            self.address, self.marker = _split_marker(rest[1:].strip())
            return
        specifier, _, marker = rest.partition(";")
        self.marker = marker.strip() or None
        pin = _PIN.fullmatch(specifier.strip().removeprefix("(").removesuffix(")").strip())
        if pin is not None and not pin[1].endswith(".*"):
            self.version = pin[1]

    def _hashes(self) -> frozenset[str]:
        values = [value.strip().lower() for value in self.line.values("--hash")]
        for value in values:
            algorithm, _, digest = value.partition(":")
            if not _HASH.fullmatch(value) or len(digest) != _STRONG.get(algorithm, len(digest)):
                raise LockError(f"`{value[:80]}` in {self.line.where} is not a hash")
        if values and not any(value.partition(":")[0] in _STRONG for value in values):
            raise LockError(
                f"The hashes in {self.line.where} are too weak",
                facts=[", ".join(sorted({value.partition(":")[0] for value in values}))],
                hint="Lock again with sha256",
            )
        return frozenset(values)

    @property
    def is_pinned(self) -> bool:
        return self.version is not None or self.address is not None

    def __str__(self) -> str:
        return f"`{redact(self.line.text or ' '.join(self.line.values('--editable')))[:120]}` ({self.line.where})"


class RequirementsLock(Lock):
    """A parsed `requirements.txt` and the files that it includes; `digest` is over all of them."""

    format = "requirements.txt"

    def __init__(self, *, path: Path, digest: Digest, lines: list[Line]) -> None:
        super().__init__(path=path, digest=digest)
        self._places = Places(path.parent)
        self.indexes = _indexes(lines)
        everything = [_Requirement(line) for line in lines if line.text or line.values("--editable")]
        self._requirements = [each for each in everything if not each.line.constraint]
        self._constrain([each for each in everything if each.line.constraint])
        self._check_hashes(required=any(line.values("--require-hashes") for line in lines))

    @classmethod
    def read(cls, path: Path, content: bytes, environ: Mapping[str, str] | None = None) -> RequirementsLock:
        """Read the bytes of the file at `path`, and what it includes; `environ` is what `${NAME}` stands for.

        Raises:
            LockError: A file is malformed, missing, or includes itself.
        """
        reader = RequirementsReader(environ=os.environ if environ is None else environ)
        lines = list(reader.lines(path, content))
        digest = Digest.of(content)
        if len(reader.contents) > 1:
            parts = [hashlib.sha256(each).digest() for each in reader.contents.values()]
            digest = Digest.of(b"".join(parts))
        return cls(path=path, digest=digest, lines=lines)

    @property
    def unpinned(self) -> tuple[str, ...]:
        """The requirements that leave a choice, as they are written; with any of them the file is no lock."""
        return tuple(str(each) for each in self._requirements if not each.is_pinned)

    def select(self, target: Target, choice: Choice) -> tuple[LockedPackage, ...]:
        """See `Lock.select`. The format has neither extras, groups nor members to choose."""
        where = self.path.name
        chosen_names("extra", choice.extras, (), everything=False, where=where)
        chosen_names("group", choice.groups, (), everything=False, where=where)
        markers = Markers(target.environment)
        requirements = [each for each in self._requirements if markers.hold(each.marker)]
        unpinned = [str(each) for each in requirements if not each.is_pinned]
        if unpinned:
            raise LockError(
                f"`{where}` is not a lock: {len(unpinned)} of its requirements are not pinned",
                facts=unpinned[:20],
                hint="Pin them with `==`, for instance with `uv pip compile --universal --generate-hashes`",
            )
        locked = [self._locked(each) for each in requirements]
        return single_versions([each for each in locked if not self._is_project(each)], target, where)

    def check_fresh(self, pyproject: Mapping[str, Any]) -> None:
        """See `Lock.check_fresh`: the format records nothing of the project."""

    def _constrain(self, constraints: list[_Requirement]) -> None:
        """Pin what the requirements leave open to what the constraints say."""
        pins = {each.name: each for each in constraints if each.is_pinned and each.marker is None}
        for requirement in self._requirements:
            pin = pins.get(requirement.name)
            if pin is not None and not requirement.is_pinned:
                requirement.version, requirement.address = pin.version, pin.address
                requirement.hashes |= pin.hashes

    def _check_hashes(self, *, required: bool) -> None:
        with_hashes = [each for each in self._requirements if each.hashes]
        # Source trees have no hash, and a commit is one.
        without = [each for each in self._requirements if not each.hashes and not self._is_source_tree(each)]
        if without and (with_hashes or required):
            raise LockError(
                f"`{self.path.name}` has hashes, but not for all of its requirements",
                facts=[str(each) for each in without[:20]],
                hint="Lock again with hashes for all, for instance with `uv pip compile --generate-hashes`",
            )
        if without and not self.unpinned:
            self.warnings += (f"`{self.path.name}` has no hashes, so that an index decides what is installed",)

    def _is_source_tree(self, requirement: _Requirement) -> bool:
        address = requirement.address
        if address is None:
            return False
        if address.startswith(("git+", "hg+", "svn+", "bzr+")):
            return True
        return not _is_url(address) and not is_file(self._places.path(_without_extras(address))[0])

    def _is_project(self, package: LockedPackage) -> bool:
        source = package.source
        return isinstance(source, Directory) and source.path == self._places.root and source.subdirectory is None

    def _locked(self, requirement: _Requirement) -> LockedPackage:
        if requirement.address is not None:
            return self._addressed(requirement, requirement.address)
        if requirement.name is None:
            raise LockError(f"{requirement} is not a requirement")
        return LockedPackage(
            name=requirement.name,
            version=requirement.version,
            source=Registry(url=self.indexes.index),
            files_listed=False,
            hashes=requirement.hashes,
            unhashed=not requirement.hashes,
        )

    def _addressed(self, requirement: _Requirement, address: str) -> LockedPackage:
        place, _, fragment = address.partition("#")
        options = dict(part.partition("=")[::2] for part in fragment.split("&") if "=" in part)
        name = requirement.name or normalize(_EXTRAS.sub("", options.get("egg", ""))) or None
        source = self._source(place, options.get("subdirectory"), editable=requirement.editable)
        if isinstance(source, (Directory, Vcs)):
            name = name or self._tree_name(source, requirement)
            return LockedPackage(name=name, version=None, source=source)
        hashes = requirement.hashes or frozenset(
            f"{algorithm}:{options[algorithm].lower()}" for algorithm in _STRONG if algorithm in options
        )
        artifact = self._artifact(source, hashes)
        wheel = parse_wheel(artifact.filename)
        name = name or (wheel.name if wheel else None)
        if name is None:
            raise LockError(f"{requirement} has no name", hint=f"Write it as `name @ {redact(address)}`")
        return LockedPackage(
            name=name,
            version=wheel.version if wheel else None,
            source=source,
            wheels=(artifact,) if artifact.is_wheel else (),
            sdist=None if artifact.is_wheel else artifact,
            unhashed=not hashes,
        )

    def _source(self, place: str, subdirectory: str | None, *, editable: bool) -> Source:
        subdirectory = checked_subdirectory(subdirectory)
        if place.startswith("git+"):
            scheme, _, rest = place.partition("://")
            host, _, repository = rest.partition("/")  # an `@` of the host is none of a commit: `ssh://git@host/repo`
            repository, _, commit = repository.partition("@")
            return git_source(f"{scheme}://{host}/{repository}", commit=commit, subdirectory=subdirectory)
        if re.match(r"[a-z]+\+", place):
            return Vcs(kind=place.partition("+")[0], url=place.partition("+")[2], commit="", subdirectory=subdirectory)
        if _is_url(place):
            return Url(url=place, subdirectory=subdirectory)
        local = _without_extras(place)
        path, _ = self._places.path(local)
        if is_file(path) or path.name.endswith((".whl", ".tar.gz", ".zip")):
            return File(path=path, subdirectory=subdirectory)
        return self._places.directory(local, editable=editable, subdirectory=subdirectory)

    def _artifact(self, source: Source, hashes: frozenset[str]) -> Artifact:
        if isinstance(source, File):
            return self._places.artifact(path=str(source.path), hashes=parse_hashes(hashes))
        url = source.url if isinstance(source, Url) else ""
        return self._places.artifact(url=url, filename=url_filename(url), hashes=parse_hashes(hashes))

    def _tree_name(self, source: Directory | Vcs, requirement: _Requirement) -> str:
        """The name that a source tree gives itself."""
        if isinstance(source, Directory):
            path = source.path / (source.subdirectory or "") / "pyproject.toml"
            if is_file(path):
                document, _ = parse_toml(read_content(path), path)
                name = document.get("project", {}).get("name") or document.get("tool", {}).get("poetry", {}).get("name")
                if isinstance(name, str):
                    return normalize(name)
            if source.path == self._places.root:
                return "project"  # `-e .`, whose name only its build backend knows, and which is left out anyway
        raise LockError(f"{requirement} has no name", hint="Write it as `name @ address`")


def _indexes(lines: list[Line]) -> Indexes:
    last = [value for line in lines for value in line.values("--index-url")]
    return Indexes(
        index=last[-1] if last else None,
        extra=tuple(value for line in lines for value in line.values("--extra-index-url")),
        find_links=tuple(value for line in lines for value in line.values("--find-links")),
        no_index=any(line.values("--no-index") for line in lines),
    )


def _is_place(text: str) -> bool:
    """Whether a requirement is a path or an address alone, without a name before it."""
    place = text.partition("@")[0]
    return text.startswith((".", "/", "~")) or "://" in place or place.endswith((".whl", ".tar.gz", ".zip"))


def _is_url(text: str) -> bool:
    return "://" in text and not text.startswith("file:")


def _split_marker(text: str) -> tuple[str, str | None]:
    """An address and its marker, which a space before the `;` sets apart."""
    address, separator, marker = text.partition(" ;")
    return address.strip(), marker.strip() if separator else None


def _without_extras(path: str) -> str:
    return _EXTRAS.sub("", path)
