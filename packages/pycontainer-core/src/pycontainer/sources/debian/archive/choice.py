"""Which archives a build takes packages from: what the user says, else the base image's, else this host's.

    sources = choose_sources(given=options, base=read_apt_sources(state.files), host=read_host_apt(),
                             distribution="debian", codename="bookworm")

No address of an archive stands in this project: somebody else's choice of mirror is nobody's business.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pycontainer.errors import ConfigError, DocumentError, PackageError
from pycontainer.sources.debian.archive.apt_sources import AptSource, parse_source_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycontainer.sources.debian.archive.host import HostApt

# Suites that follow the codename; of Debian the last one is an archive of its own.
_UPDATES, _SECURITY = "-updates", "-security"
_COMPONENTS: Final = {"ubuntu": ("main", "universe")}
# Debian's other names for its suites, which stand in some hosts' sources.
_ALIASES: Final = ("oldoldstable", "oldstable", "stable", "testing")


def choose_sources(
    *,
    given: Sequence[str] = (),
    base: Sequence[AptSource] = (),
    host: HostApt | None = None,
    distribution: str,
    codename: str,
) -> tuple[AptSource, ...]:
    """The sources for a base image.

    Args:
        given: Of the option: addresses, or lines of `sources.list` without `deb`. The first address stands for the
            suites of the codename; a second one, of Debian, for its security updates.
        base: Of the base image.
        host: Of this host; used where it runs the same distribution, its suites replaced by those of the codename.
        distribution: Of the base image: `debian`, `ubuntu`.
        codename: Of the base image: `bookworm`.

    Raises:
        ConfigError: What is given is malformed.
        PackageError: No archive is known.
    """
    if given:
        return _given(given, distribution, codename)
    if base:
        return tuple(base)
    if found := _of_host(host, distribution, codename) if host is not None else ():
        return found
    facts = ["base image: it names no apt sources"]
    if host is not None:
        where = f"{host.distribution} {host.codename}".strip() or "not Debian"
        facts.append(f"this host ({where}): it has no apt sources of {distribution}")
    raise PackageError(
        f"No archive of packages for {distribution} `{codename}` is known",
        facts=facts,
        hint="Set {os_archive} to the address of one, or build from a lock",
    )


def _given(texts: Sequence[str], distribution: str, codename: str) -> tuple[AptSource, ...]:
    found: list[AptSource] = []
    addresses = 0
    for text in texts:
        words = text.split()
        try:
            if len(words) == 1:
                found += _of_address(words[0], addresses, distribution, codename)
                addresses += 1
            elif words:
                found += parse_source_line(text.strip(), file="{os_archive}")
        except DocumentError as error:
            raise ConfigError(
                "An archive of operating system packages is not named as apt names them",
                facts=[error.message],
                hint="Give {os_archive} as `URI`, or `URI SUITE COMPONENT…`",
            ) from error
    return tuple(found)


def _of_address(uri: str, number: int, distribution: str, codename: str) -> list[AptSource]:
    """The suites that an archive of this distribution has.

    Raises:
        PackageError: The base image does not tell which one is its own.
    """
    if not codename:
        raise PackageError(
            "The base image does not tell which release it is",
            facts=["os-release(5): no `VERSION_CODENAME`"],
            hint="Name the suite in {os_archive}: `URI SUITE COMPONENT…`",
        )
    components = " ".join(_COMPONENTS.get(distribution, ("main",)))
    apart = distribution not in _COMPONENTS
    suites = (
        [codename, f"{codename}{_UPDATES}"] if apart else [codename, f"{codename}{_UPDATES}", f"{codename}{_SECURITY}"]
    )
    if apart and number:
        suites = [f"{codename}{_SECURITY}"]
    found = [source for suite in suites for source in parse_source_line(f"{uri} {suite} {components}", file="")]
    # Only the suite itself is sure to exist: testing has no updates.
    return [replace(source, guessed=source.suite != codename and not number) for source in found]


def _of_host(host: HostApt, distribution: str, codename: str) -> tuple[AptSource, ...]:
    """The host's sources of the distribution itself, for another release of it; what others add is left out."""
    if host.distribution != distribution or not host.codename:
        return ()
    found = []
    for source in host.sources:
        name = next((name for name in (host.codename, *_ALIASES) if _follows(source.suite, name)), None)
        if name is not None and "main" in source.components:
            rest = source.suite[len(name) :]
            found.append(replace(source, suite=f"{codename}{rest}", guessed=bool(rest)))
    return tuple(found)


def _follows(suite: str, name: str) -> bool:
    return suite in {name, f"{name}{_UPDATES}", f"{name}{_SECURITY}"}
