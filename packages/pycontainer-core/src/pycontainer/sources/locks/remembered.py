"""What locks answered before: the same bytes, asked the same, are not parsed again.

    memory = LockMemory(folder)
    lock = read_lock(path, memory=memory)           # a `RememberedLock`, if it is as fresh as when it was kept
    lock = memory.checked(lock, lambda: lock.check_fresh(pyproject))
    lock.chosen([target, choice, policy], lambda: choose_wheels(…))

An answer is remembered only where the lock and the `pyproject.toml` beside it are all that it was made of. A lock that
warns, that names indexes for all packages (`requirements.txt`) or was resolved now is read every time, and so is one
whose answer holds a password, or a path of this host that might lead elsewhere tomorrow, or whose path is no text.
"""

from __future__ import annotations

import hashlib
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from pycontainer import __version__
from pycontainer.blobs.records import load_record, save_record
from pycontainer.errors import LockError
from pycontainer.oci import Digest
from pycontainer.sources.locks.addresses import redact
from pycontainer.sources.locks.model import Directory, File, Indexes, Lock
from pycontainer.sources.locks.places import Places
from pycontainer.sources.locks.wheels import Chosen

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from pycontainer.sources.locks.model import Choice, LockedPackage
    from pycontainer.sources.target import Target

_T = TypeVar("_T")
# Raised whenever a lock may answer otherwise; the tool's version counts, too.
_VERSION: Final = 1


class LockMemory:
    """A folder of answers.

    Args:
        folder: Made when something is written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, path: Path, content: bytes, read: Callable[[Path, bytes], Lock]) -> Lock | None:
        """The lock with these bytes, unread, if it was kept and its projects are what they were; else none."""
        if not _is_text(path):
            return None
        digest = Digest.of(content)
        kept = _decoded(load_record(self._path(path, digest)), _KEPT)
        if kept is None or kept.projects != _states(map(Path, kept.projects)):
            return None
        return RememberedLock(self._folder, kept, path=path, digest=digest, read=lambda: read(path, content))

    def checked(self, lock: Lock, check: Callable[[], None]) -> Lock:
        """The same lock, of which it is remembered that it is fresh, and from now on what it answers.

        Args:
            lock: The lock.
            check: Raises where the lock is not as fresh as its projects.

        Raises:
            LockError: What `check` raises. StoreError: The disk does not take it.
        """
        projects = _states(lock.projects)  # before the check: whoever edits one meanwhile makes it another state
        check()
        if (
            isinstance(lock, RememberedLock)
            or lock.format == "requirements.txt"
            or lock.warnings
            or lock.is_resolved
            or lock.indexes != Indexes()
            or not _is_text(lock.path, *projects)
        ):
            return lock
        kept = _Kept(format=lock.format, projects=projects)
        save_record(self._path(lock.path, lock.digest), msgspec.json.encode(kept), durable=False)
        return RememberedLock(self._folder, kept, path=lock.path, digest=lock.digest, read=lambda: lock)

    def _path(self, path: Path, digest: Digest) -> Path:
        return self._folder / f"{_key('fresh', str(path), str(digest))}.json"


class RememberedLock(Lock):
    """A lock that is known to be fresh, and parsed only when it is asked something new. `LockMemory` gives it."""

    def __init__(self, folder: Path, kept: _Kept, *, path: Path, digest: Digest, read: Callable[[], Lock]) -> None:
        super().__init__(path=path, digest=digest)
        self.format = kept.format
        self._folder = folder
        self._projects = kept.projects
        self._read = read

    def chosen(self, question: Sequence[Any], choose: Callable[[], tuple[Chosen, ...]]) -> tuple[Chosen, ...]:
        """What `choose` gives for a question, less the files that were not chosen: from the memory, else now.

        Args:
            question: All that the answer depends on besides the lock and its projects, as values that JSON can hold.
            choose: Chooses from this lock.

        Raises:
            PyContainerError: What `choose` raises. StoreError: The disk does not take the answer.
        """
        text = msgspec.json.encode(question, enc_hook=str, order="deterministic").decode()
        identity = [str(self.path), str(self.digest), self._projects]
        path = self._folder / f"{_key('chosen', *identity, text)}.json"
        answer = _decoded(load_record(path), _ANSWER)
        if answer is not None and self._lead_there(answer.paths):
            return answer.chosen
        chosen = tuple(map(_without_others, choose()))
        paths = {text: str(place) for text, place in self._lock.paths.items()}
        if _is_text(*paths.values()) and all(_is_lasting(each, set(paths.values())) for each in chosen):
            content = msgspec.json.encode(_Answer(chosen=chosen, paths=paths), enc_hook=str)
            save_record(path, content, durable=False)
        return chosen

    def select(self, target: Target, choice: Choice) -> tuple[LockedPackage, ...]:
        """See `Lock.select`."""
        return self._lock.select(target, choice)

    def check_fresh(self, pyproject: Mapping[str, Any]) -> None:
        """See `Lock.check_fresh`; nothing has changed since it was found fresh."""

    @property
    def projects(self) -> Sequence[Path]:
        """See `Lock.projects`; they are what they were."""
        return ()

    @cached_property
    def _lock(self) -> Lock:
        return self._read()

    def _lead_there(self, paths: Mapping[str, str]) -> bool:
        """Whether the paths that the lock names still lead where they did."""
        places = Places(self.path.parent)
        try:
            return all(str(places.path(text)[0]) == place for text, place in paths.items())
        except LockError:
            return False


class _Kept(msgspec.Struct, frozen=True):
    """A lock that was fresh: its format, and the state of each project beside it."""

    format: str
    projects: dict[str, str]


class _Answer(msgspec.Struct, frozen=True):
    """What was chosen, and where the paths led that the lock names."""

    chosen: tuple[Chosen, ...]
    paths: dict[str, str]


def _without_others(chosen: Chosen) -> Chosen:
    """Without the wheels of other platforms, of which some packages have a hundred."""
    return msgspec.structs.replace(chosen, package=msgspec.structs.replace(chosen.package, wheels=(), sdist=None))


def _is_lasting(chosen: Chosen, known: Collection[str]) -> bool:
    """Whether it holds no secret, and no path of this host but one that is looked up again."""
    source, file = chosen.package.source, chosen.artifact
    if isinstance(source, Directory):
        return str(source.path) in known
    if isinstance(source, File) or (file is not None and file.path is not None):
        return False
    urls = [source.url, *((file.url, file.index) if file else ())]
    return all(url is None or redact(url) == url for url in urls)


def _is_text(*paths: Path | str) -> bool:
    """Whether a document can hold the paths: a name that is no text in this host's encoding is no UTF-8 either."""
    try:
        "".join(map(str, paths)).encode()
    except UnicodeEncodeError:
        return False
    return True


def _states(files: Iterable[Path]) -> dict[str, str]:
    """The sha256 of each file, or that there is none."""
    return {str(file): _state(file) for file in files}


def _state(file: Path) -> str:
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError as error:
        return type(error).__name__


def _key(*parts: Any) -> str:
    return hashlib.sha256(msgspec.json.encode([_VERSION, __version__, *parts], order="sorted")).hexdigest()


def _decoded(content: bytes | None, decoder: msgspec.json.Decoder[_T]) -> _T | None:
    try:
        return None if content is None else decoder.decode(content)
    except (msgspec.MsgspecError, LockError):
        return None


def _decode(kind: type, value: object) -> object:
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise ValueError(f"no {kind.__name__}")


# Made once, by the thread that imports: msgspec looks at a type when it first decodes it, and two at once crash.
_KEPT: Final = msgspec.json.Decoder(_Kept)
_ANSWER: Final = msgspec.json.Decoder(_Answer, dec_hook=_decode)
