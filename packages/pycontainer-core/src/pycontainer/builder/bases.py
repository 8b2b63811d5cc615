"""The base images of a build: as they are somewhere, or composed of packages.

system = system_supply(session)
bases = find_bases(session, system, "python:3.12-slim", platforms)
bases = find_bases(session, system, "deb:bookworm", platforms)
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final, TypeAlias

from pycontainer.blobs.store import BlobStore
from pycontainer.errors import NetworkError
from pycontainer.sources.base import resolve_base

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pycontainer.builder.session import Session
    from pycontainer.builder.system import SystemSupply
    from pycontainer.oci import Platform
    from pycontainer.sources.base import Base

    OpenSystem: TypeAlias = Callable[[], SystemSupply]

_COMPOSED: Final = "deb:"


def suite_of(text: str) -> str | None:
    """The suite that a base image is composed of; none where it is somewhere already."""
    return text.removeprefix(_COMPOSED) if text.startswith(_COMPOSED) else None


def system_supply(session: Session) -> OpenSystem:
    """Gives the supply of operating system packages, made when it is first needed: most builds need none."""

    @cache
    def opened() -> SystemSupply:
        from pycontainer.builder.system import SystemSupply  # noqa: PLC0415 - see above

        return SystemSupply(session)

    return opened


def find_bases(session: Session, system: OpenSystem, text: str, platforms: Sequence[Platform]) -> Sequence[Base]:
    """The base image for each platform, with its facts; by the digest that the lock has for it.

    Raises:
        LockError: The lock is of another base image, and only the lock will do.
        PyContainerError: It cannot be found, read or composed.
    """
    suite = suite_of(text)
    if suite is not None:
        return tuple(system().compose(suite, platform) for platform in platforms)
    place = _locked(session, text)
    try:
        # A tag may move between two builds of one run: all of them take the same image.
        return session.together.once(
            ("base", place, tuple(platforms), session.home, session.registry_settings),
            lambda _: resolve_base(
                place,
                platforms,
                registry=session.registry,
                store=BlobStore(session.home / "bases", durable=False),
                cache_dir=session.facts,
                shared=session.shared,
                emit=session.emit,
            ),
        )
    except NetworkError as error:
        if type(error) is NetworkError:  # nobody answered, or not as a registry does
            error.hint = _without_registry(error.hint)
        raise


def _locked(session: Session, text: str) -> str:
    if session.image_lock is None or session.relock:
        return text
    from pycontainer.sources.debian.image_lock import pinned  # noqa: PLC0415 - only where there is a lock

    return pinned(text, session.image_lock, required=session.config.locked)


def _without_registry(hint: str | None) -> str:
    other = (
        "set {base_image} to `deb:bookworm` (Python 3.11) or `deb:trixie` (Python 3.13): they are made of Debian's "
        "packages and need no registry"
    )
    return f"{hint}; or {other}" if hint else f"{other[0].upper()}{other[1:]}"
