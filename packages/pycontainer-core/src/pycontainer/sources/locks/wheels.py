"""From locked packages to the files that a target installs.

    chosen = choose_wheels(lock.select(target, choice), target, SourcePolicy())

Of the wheels of a package, the one whose tag stands first in `target.tags` wins, and among equals the highest build
tag (*Binary distribution format*). A source archive is taken only where that is no surprise, and everything that
cannot be used is told in one error.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec

from pycontainer.sources.locks.addresses import defect, insecure_host
from pycontainer.sources.locks.filenames import parse_wheel
from pycontainer.sources.locks.misfits import Misfit, misfit_error, setting_misfit, wheels_misfit
from pycontainer.sources.locks.model import Artifact, Directory, LockedPackage, Registry, Vcs
from pycontainer.sources.locks.specifiers import supports_python
from pycontainer.value import Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pycontainer.sources.locks.filenames import WheelName
    from pycontainer.sources.target import Target

Kind: TypeAlias = Literal["wheel", "sdist", "directory", "vcs"]

_HASH_LENGTHS = {"sha256": 64, "sha384": 96, "sha512": 128, "blake2b": 128}
_HEX = re.compile(r"[0-9a-f]+", re.ASCII)
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?", re.ASCII)


class SourcePolicy(Value, frozen=True, kw_only=True):
    """Which packages may be used that are not wheels from an index over https.

    Attributes:
        no_build: Run no build backend of anybody else: no source archives and no VCS. Directories beside the lock
            file are the project's own code and stay allowed.
        build_sdists: Whose source archives may be built although there are wheels, none of which fits; normalised
            names. A package that has no wheel for any Linux is built without being named.
        allow_outside: Whether directories and files outside the directory of the lock file may be used.
        insecure_hosts: Hosts, with or without port, that plain http may be spoken to; this machine always may.
    """

    no_build: bool = False
    build_sdists: frozenset[str] | None = None
    allow_outside: bool = False
    insecure_hosts: frozenset[str] = frozenset()


class Chosen(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A package and the file to use for it; directories and commits have none."""

    package: LockedPackage
    artifact: Artifact | None
    kind: Kind


def choose_wheels(packages: Iterable[LockedPackage], target: Target, policy: SourcePolicy) -> tuple[Chosen, ...]:
    """Choose for every package the file that the target installs, in the order of the packages.

    Raises:
        LockError: There are packages that the target cannot use or the policy does not allow; it lists all of them.
        ValueError: The files of a package are not known yet (`LockedPackage.files_listed`).
    """
    chosen: list[Chosen] = []
    misfits: list[Misfit] = []
    for package in packages:
        found = _choose(package, target, policy)
        if isinstance(found, Misfit):
            misfits.append(found)
        else:
            chosen.append(found)
    if misfits:
        raise misfit_error(misfits, target)
    return tuple(chosen)


def _choose(package: LockedPackage, target: Target, policy: SourcePolicy) -> Chosen | Misfit:
    if not package.files_listed:
        raise ValueError(f"ask an index for the files of {package} first")
    needs = package.requires_python
    if needs and not supports_python(needs, target.python.full, f"`{package.name}`"):
        return Misfit(package=package, reason=f"it needs Python {needs}")
    if isinstance(package.source, Directory):
        return _choose_directory(package, package.source, policy)
    if isinstance(package.source, Vcs):
        return _choose_commit(package, package.source, policy)
    return _choose_file(package, target, policy)


def _choose_directory(package: LockedPackage, source: Directory, policy: SourcePolicy) -> Chosen | Misfit:
    if source.outside and not policy.allow_outside:
        return setting_misfit(package, f"its directory `{source.path}` is outside the project", "allow_outside")
    return Chosen(package=package, artifact=None, kind="directory")


def _choose_commit(package: LockedPackage, source: Vcs, policy: SourcePolicy) -> Chosen | Misfit:
    if not _COMMIT.fullmatch(source.commit):
        return Misfit(package=package, reason=f"it is locked to `{source.commit[:60]}`, which is not a commit")
    if source.url.startswith("file:") and not policy.allow_outside:
        return setting_misfit(package, "its repository is a directory of this host", "allow_outside")
    if source.kind != "git" or not source.url.startswith(("file:", "ssh://")):
        reason = f"it is in a {source.kind} repository" if source.kind != "git" else defect(source.url)
        if reason:
            return Misfit(package=package, reason=reason)
        if host := insecure_host(source.url, policy.insecure_hosts):
            return setting_misfit(package, f"its address is plain http, on `{host}`", "allow_http")
    return _may_build(package, policy) or Chosen(package=package, artifact=None, kind="vcs")


def _choose_file(package: LockedPackage, target: Target, policy: SourcePolicy) -> Chosen | Misfit:
    names = [(wheel, parse_wheel(wheel.filename)) for wheel in package.wheels]
    best = _best(((wheel, name) for wheel, name in names if name), target)
    if best is not None:
        wheel, name = best
        if reason := _contradiction(package, name):
            return Misfit(package=package, reason=reason)
        return _distrust(package, wheel, policy) or Chosen(package=package, artifact=wheel, kind="wheel")
    readable = [name for _, name in names if name]
    if package.sdist is None or not _building_is_no_surprise(package, readable, policy):
        return wheels_misfit(package, readable, target)
    refused = _may_build(package, policy) or _distrust(package, package.sdist, policy)
    return refused or Chosen(package=package, artifact=package.sdist, kind="sdist")


def _building_is_no_surprise(package: LockedPackage, wheels: Sequence[WheelName], policy: SourcePolicy) -> bool:
    """Whether the sdist is the only way to any Linux, or the user asked for it."""
    if policy.build_sdists is not None and package.name in policy.build_sdists:
        return True
    return not any("linux" in platform or platform == "any" for wheel in wheels for platform in wheel.platforms)


def _may_build(package: LockedPackage, policy: SourcePolicy) -> Misfit | None:
    if policy.no_build:
        return setting_misfit(package, "it has to be built from source, and nothing may be built", "no_build")
    return None


def _best(wheels: Iterable[tuple[Artifact, WheelName]], target: Target) -> tuple[Artifact, WheelName] | None:
    ranks = _ranks(target)
    fitting = []
    for wheel, name in wheels:
        found = [
            rank
            for python in name.pythons
            for abi in name.abis
            for platform in name.platforms
            if (rank := ranks.get((python, abi, platform))) is not None
        ]
        if found:
            # Among equals the file name decides, so that the order of the lock's lines does not.
            fitting.append(((-min(found), name.build, wheel.filename), wheel, name))
    if not fitting:
        return None
    _, wheel, name = max(fitting, key=lambda each: each[0])
    return wheel, name


@lru_cache(maxsize=64)
def _ranks(target: Target) -> Mapping[tuple[str, str, str], int]:
    ranks: dict[tuple[str, str, str], int] = {}
    for rank, tag in enumerate(target.tags):
        ranks.setdefault((tag.interpreter, tag.abi, tag.platform), rank)
    return ranks


def _contradiction(package: LockedPackage, name: WheelName) -> str | None:
    """Why the wheel is not of this package."""
    if name.name != package.name:
        return f"its locked wheel is of `{name.name}`"
    if package.version is None or name.version == package.version or not isinstance(package.source, Registry):
        return None
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415 - names are equal nearly always

    try:
        locked, named = Version(package.version), Version(name.version.replace("_", "-"))
    except InvalidVersion:
        return f"its locked wheel has the version `{name.version}`"
    # An index may serve `2.1.0+cpu` for a lock that says 2.1.0 (PEP 440, Local version identifiers).
    if locked == named or (locked.local is None and locked.public == named.public):
        return None
    return f"its locked wheel has the version `{name.version}`"


def _distrust(package: LockedPackage, artifact: Artifact, policy: SourcePolicy) -> Misfit | None:
    """Why the file must not be used, whatever is in it."""
    if artifact.outside and not policy.allow_outside:
        return setting_misfit(package, f"its file `{artifact.path}` is outside the project", "allow_outside")
    reason = artifact.url and defect(artifact.url)
    if not reason and artifact.url and (host := insecure_host(artifact.url, policy.insecure_hosts)):
        return setting_misfit(package, f"its address is plain http, on `{host}`", "allow_http")
    reason = reason or _weakness(artifact, unhashed=package.unhashed)
    return Misfit(package=package, reason=reason) if reason else None


def _weakness(artifact: Artifact, *, unhashed: bool) -> str | None:
    """Why the hashes of a file do not pin it."""
    for algorithm, value in artifact.hashes.items():
        length = _HASH_LENGTHS.get(algorithm)
        if length is not None and (len(value) != length or not _HEX.fullmatch(value)):
            return f"its {algorithm} hash is malformed"
    if unhashed or _HASH_LENGTHS.keys() & artifact.hashes.keys():
        return None
    weak = ", ".join(sorted(artifact.hashes))
    return f"the lock has only a weak hash ({weak[:40]}) of its file" if weak else "the lock has no hash of its file"
