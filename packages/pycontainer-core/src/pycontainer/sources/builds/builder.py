"""Builds wheels on this host, isolated, with `uv build`; the same tree gives the same bytes on every host.

    builder = WheelBuilder(cache, find_uv=find, fetch=fetcher.fetch, root=root, emit=emit)
    wheel = builder.build(chosen, target)          # an sdist, a commit or a directory of a lock
    wheel = builder.build_tree(root, target, name="acme")      # the project itself

Source trees are built where they are: what a backend reads besides the tree (version control, files beside it, ignored
but generated files) is then there, as for `uv sync`. Only setuptools would also read what earlier builds left in
`build/`; it is sent to a temporary directory for its scratch files, and so neither reads nor leaves any.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pycontainer.blobs.fingerprints import Fingerprints
from pycontainer.blobs.lock import KeyedLocks
from pycontainer.errors import ToolError, WheelBuildError
from pycontainer.events import Noted, TaskFinished, TaskStarted, Verb, Warned, ignore
from pycontainer.sources.builds.backend import Backend, tree_key
from pycontainer.sources.builds.fit import check_fits, host_libc, host_machine
from pycontainer.sources.builds.interpreter import Interpreters
from pycontainer.sources.builds.store import BuiltWheels
from pycontainer.sources.locks import Directory, Url, Vcs
from pycontainer.sources.locks.filenames import parse_wheel
from pycontainer.unfinished import temporary_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pycontainer.events import Emit
    from pycontainer.sources.builds.interpreter import Interpreter
    from pycontainer.sources.builds.store import BuiltWheel
    from pycontainer.sources.locks import Artifact, Chosen, LockedPackage
    from pycontainer.sources.target import Target
    from pycontainer.sources.uv import Uv

# 1980-01-01, the first date that a zip can hold; flit and others refuse an earlier one.
_EPOCH = "315532800"
_FIXED = {
    "PYTHONHASHSEED": "0",
    "TZ": "UTC",
    "LC_ALL": "C.UTF-8",
    "LANG": "C.UTF-8",
    "PYTHONUTF8": "1",
    "PYTHONUNBUFFERED": "1",
}


class WheelBuilder:
    """Builds what a lock or a project needs; each input once, safe to share between threads.

    Args:
        folder: Where built wheels are kept.
        find_uv: Finds the program; asked, and told to be missing, only when something has to be built.
        fetch: Gives the path of an sdist, its hash checked.
        root: Where uv looks for its settings: the project.
        environment: The user's variables.
        fingerprints: What is known of the files of source trees from earlier builds.
        insecure_hosts: Hosts that may be cloned from over plain http.
        locks: Shared with other builders of the same folder, so that what one builds the others wait for.
        emit: Hears of every build.
    """

    def __init__(
        self,
        folder: Path,
        *,
        find_uv: Callable[[], Uv | None],
        fetch: Callable[[Artifact], Path],
        root: Path,
        environment: Mapping[str, str],
        fingerprints: Fingerprints | None = None,
        insecure_hosts: frozenset[str] = frozenset(),
        locks: KeyedLocks | None = None,
        emit: Emit = ignore,
    ) -> None:
        self._store = BuiltWheels(folder)
        self._find_uv = cache(find_uv)
        self._fetch = fetch
        self._root = root
        self._environment = environment
        self._fingerprints = fingerprints or Fingerprints(None)
        self._insecure_hosts = insecure_hosts
        self._emit = emit
        self._interpreters = Interpreters(self._find_uv)
        self._locks = locks or KeyedLocks()
        # Of trees whose inputs nobody can know: for other platforms of this build, they are what they were.
        self._built_now: dict[tuple[Path, str], BuiltWheel] = {}

    def build(self, chosen: Chosen, target: Target) -> BuiltWheel:
        """The wheel of a locked sdist, commit or directory, for a target.

        Raises:
            WheelBuildError: The backend failed, or made something else than what is locked or fits the target.
            ToolError: uv or git is missing. NetworkError, IntegrityError: The source cannot be had as locked.
        """
        package, source = chosen.package, chosen.package.source
        if isinstance(source, Directory):
            tree = _inside(source.path, source.subdirectory)
            wheel = self._from_directory(tree, target, package, package.name)
        elif isinstance(source, Vcs):
            wheel = self._from_commit(source, self._interpreters.for_target(target), package)
        else:
            assert chosen.artifact is not None  # noqa: S101 - `choose_wheels` says so of every other kind
            wheel = self._from_sdist(chosen.artifact, self._interpreters.for_target(target), package)
        check_fits(wheel.filename, target, package=package.name)
        if not wheel.is_pure:
            self._warn_native(wheel, package)
        return wheel

    def build_tree(self, tree: Path, target: Target | None = None, *, name: str | None = None) -> BuiltWheel:
        """The wheel of a source tree: the project itself, by its name; without one, events have that of the folder.

        Raises:
            WheelBuildError: The backend failed, or made a wheel that does not fit the target.
            ToolError: uv is missing.
        """
        wheel = self._from_directory(tree, target, None, name or tree.name)
        if target is not None:
            check_fits(wheel.filename, target, package=name or tree.name)
        return wheel

    def _from_directory(
        self, tree: Path, target: Target | None, package: LockedPackage | None, name: str
    ) -> BuiltWheel:
        backend = Backend.of(tree)
        variables = {**self._environment, **self._fixed}

        def key_for(feature: str) -> str | None:
            return tree_key(tree, backend, variables=variables, python=feature, fingerprints=self._fingerprints)

        with self._locks.of("wheel", str(tree)):
            # What was built before needs no Python, and looking for one takes longer than all the rest.
            reused = self._reused(key_for(self._interpreters.wanted(target)), name) if target else None
            if reused is not None:
                return reused
            python = self._interpreters.for_target(target) if target else self._interpreters.any()
            known = self._built_now.get((tree, python.feature))
            if known is not None:
                return self._told(known, name)
            wheel = self._made(
                key_for(python.feature),
                name,
                package,
                lambda out: self._build_in_place(tree, backend, python, out, name),
                key_now=lambda: key_for(python.feature),
            )
            self._built_now[tree, python.feature] = wheel
            return wheel

    def _from_commit(self, source: Vcs, python: Interpreter, package: LockedPackage) -> BuiltWheel:
        from pycontainer.sources.builds.git import checkout  # noqa: PLC0415 - few locks have commits

        def make(out: Path) -> None:
            self._emit(Noted(message=f"Building `{package.name}` from commit {source.commit[:12]}"))
            with checkout(
                source.url, source.commit, environment=self._environment, insecure_hosts=self._insecure_hosts
            ) as tree:
                self._run_uv(_inside(tree, source.subdirectory), out, python, package.name)

        if source.kind != "git":
            raise ToolError(f"`{package.name}` is locked to a {source.kind} repository", facts=["supported: git"])
        key = self._key("git", source.commit, source.subdirectory or "", python)
        with self._locks.of("wheel", key):
            return self._made(key, str(package), package, make)

    def _from_sdist(self, artifact: Artifact, python: Interpreter, package: LockedPackage) -> BuiltWheel:
        archive = self._fetch(artifact)
        subdirectory = package.source.subdirectory if isinstance(package.source, Url) else None

        def make(out: Path) -> None:
            self._emit(Noted(message=f"Building `{package.name}` {package.version or ''} from source: no wheel fits"))
            with temporary_folder("pycontainer-sdist-") as folder:
                # uv goes by the name of the archive.
                named = Path(shutil.copyfile(archive, folder / artifact.filename))
                if subdirectory is None:
                    self._run_uv(named, out, python, package.name)
                else:
                    self._run_uv(_unpacked(named, subdirectory), out, python, package.name)

        digest = artifact.hashes.get("sha256") or hashlib.sha256(archive.read_bytes()).hexdigest()
        key = self._key("sdist", digest, subdirectory or "", python)
        with self._locks.of("wheel", key):
            return self._made(key, str(package), package, make)

    def _made(
        self,
        key: str | None,
        name: str,
        package: LockedPackage | None,
        make: Callable[[Path], None],
        *,
        key_now: Callable[[], str | None] | None = None,
    ) -> BuiltWheel:
        """The wheel of a key from the store, or what `make` puts into a directory.

        Where `key_now` gives another key afterwards, somebody wrote to the tree: nobody knows what the wheel is of.
        """
        reused = self._reused(key, name)
        if reused is not None:
            return reused
        self._emit(TaskStarted(verb=Verb.BUILD_WHEEL, name=name))
        with temporary_folder("pycontainer-wheel-") as folder:
            make(folder)
            built = _only_wheel(folder, name)
            if package is not None:
                _check_is(built, package)
            wheel = self._store.put(key if key_now is None or key_now() == key else None, built)
        self._emit(TaskFinished(verb=Verb.BUILD_WHEEL, name=name, size=wheel.size))
        return wheel

    def _reused(self, key: str | None, name: str) -> BuiltWheel | None:
        wheel = self._store.get(key) if key else None
        return self._told(wheel, name) if wheel is not None else None

    def _told(self, wheel: BuiltWheel, name: str) -> BuiltWheel:
        self._emit(TaskFinished(verb=Verb.BUILD_WHEEL, name=name, size=wheel.size, reused=True))
        return wheel

    def _build_in_place(self, tree: Path, backend: Backend, python: Interpreter, out: Path, name: str) -> None:
        if not backend.is_setuptools:
            self._run_uv(tree, out, python, name)
            return
        with temporary_folder("pycontainer-setuptools-") as folder:
            scratch = folder / "build"
            (folder / "egg-info").mkdir()
            settings = folder / "distutils.cfg"
            settings.write_text(
                f"[build]\nbuild_base = {scratch}\n[egg_info]\negg_base = {Path(folder) / 'egg-info'}\n", "utf-8"
            )
            before = set(_leftovers(tree))
            self._run_uv(tree, out, python, name, {"DIST_EXTRA_CONFIG": str(settings)})
            if scratch.exists():
                return
            # A setuptools of 2022 does not know that variable, and may have packed a stale `build/lib`: its sdist
            # does not come from there.
            _empty(out)
            sdists = folder / "sdist"
            self._run_uv(tree, sdists, python, name, kind="--sdist")
            for path in set(_leftovers(tree)) - before:
                shutil.rmtree(path, ignore_errors=True)
            self._run_uv(next(sdists.glob("*.tar.gz")), out, python, name)

    def _run_uv(
        self,
        source: Path,
        out: Path,
        python: Interpreter,
        name: str,
        variables: Mapping[str, str] | None = None,
        *,
        kind: str = "--wheel",
    ) -> None:
        uv = self._find_uv()
        if uv is None:
            from pycontainer.sources.uv import MISSING_HINT  # noqa: PLC0415 - not where nothing is built

            raise ToolError(f"uv is needed to build `{name}` and is not installed", hint=MISSING_HINT)
        arguments = ["build", kind, str(source), "--out-dir", str(out), "--python", str(python.path)]
        done = uv.run(arguments, cwd=self._root, variables={**self._fixed, **(variables or {})})
        if done.status != 0:
            facts = [f"built with: Python {python.feature}", *uv.shown(done.output + done.errors)]
            raise WheelBuildError(f"The build of `{name}` failed", facts=facts)

    @property
    def _fixed(self) -> dict[str, str]:
        """The variables that make a build the same everywhere."""
        epoch = self._environment.get("SOURCE_DATE_EPOCH", "").strip()
        return {**_FIXED, "SOURCE_DATE_EPOCH": epoch if epoch.isdigit() else _EPOCH, "PYTHONDONTWRITEBYTECODE": "1"}

    def _key(self, kind: str, digest: str, subdirectory: str, python: Interpreter) -> str:
        """Native code depends on the host, which a cache folder may outlive."""
        parts = [kind, digest, subdirectory, python.feature, host_machine(), str(host_libc())]
        return hashlib.sha256(json.dumps([*parts, self._fixed["SOURCE_DATE_EPOCH"]]).encode()).hexdigest()

    def _warn_native(self, wheel: BuiltWheel, package: LockedPackage) -> None:
        self._emit(
            Warned(
                message=f"`{package.name}` was built on this host and has native code",
                facts=(f"built: `{wheel.filename}`", "system libraries that it links to must be in the image"),
            )
        )


def _inside(tree: Path, subdirectory: str | None) -> Path:
    """A subdirectory of a tree, which no link may lead out of.

    Raises:
        WheelBuildError: There is no such directory in it.
    """
    path = (tree / (subdirectory or "")).resolve()
    if not path.is_dir() or not path.is_relative_to(tree.resolve()):
        raise WheelBuildError(
            f"`{subdirectory or tree}` is not a directory of the source", facts=[f"source: {tree.name}"]
        )
    return path


def _unpacked(archive: Path, subdirectory: str) -> Path:
    """The subdirectory of an archive's only folder, unpacked beside the archive."""
    import tarfile  # noqa: PLC0415 - archives with a subdirectory are rare

    folder = archive.parent / "unpacked"
    try:
        with tarfile.open(archive) as tar:
            if not hasattr(tarfile, "data_filter"):
                raise ToolError("This Python cannot unpack archives safely", hint="Use Python 3.10.12, 3.11.4 or newer")
            tar.extractall(folder, filter="data")
    except tarfile.TarError as error:
        raise WheelBuildError(f"`{archive.name}` cannot be unpacked", facts=[str(error)[:200]]) from error
    tops = list(folder.iterdir())
    return _inside(tops[0] if len(tops) == 1 else folder, subdirectory)


def _only_wheel(folder: Path, name: str) -> Path:
    wheels = list(folder.glob("*.whl"))
    if len(wheels) != 1:
        raise WheelBuildError(f"The build of `{name}` made {len(wheels)} wheels instead of one")
    return wheels[0]


def _check_is(built: Path, package: LockedPackage) -> None:
    """Refuse a wheel of something else than what is locked.

    Raises:
        WheelBuildError: Another name or version.
    """
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415 - slow, and builds are rare

    named = parse_wheel(built.name)
    version = named.version if named else ""
    same = named is not None and named.name == package.name
    if same and package.version is not None and not isinstance(package.source, (Directory, Vcs)):
        try:
            same = Version(version.replace("_", "-")) == Version(package.version)
        except InvalidVersion:
            same = False
    if not same:
        raise WheelBuildError(f"The build of `{package}` made something else", facts=[f"built: `{built.name}`"])


def _leftovers(tree: Path) -> Iterator[Path]:
    """What setuptools leaves in a tree, at its top or in `src`."""
    yield from (
        path for path in (tree / "build", *tree.glob("*.egg-info"), *tree.glob("src/*.egg-info")) if path.is_dir()
    )


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        with suppress(OSError):
            path.unlink()
