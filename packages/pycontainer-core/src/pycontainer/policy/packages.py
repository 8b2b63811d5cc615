"""The rules of where an image comes from: its base, its dependencies, their indexes and licences."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urlsplit

from pycontainer.oci import Reference
from pycontainer.policy.licenses import permits
from pycontainer.sources.locks import Url, Vcs
from pycontainer.sources.locks.addresses import insecure_host, public_url
from pycontainer.sources.wheels.license import license_expression

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pycontainer.config import BuildConfig, Policy
    from pycontainer.layers.record import PackageContents
    from pycontainer.plan import BuildPlan, PlatformPlan
    from pycontainer.sources.base import Base
    from pycontainer.sources.locks import Chosen

_IMAGE_LOCK: Final = "pycontainer.lock"
_COMPOSED: Final = "deb:"


class Broken(NamedTuple):
    """A rule, by its key, and what breaks it."""

    rule: str
    what: str


def check_platform(
    policy: Policy, plan: BuildPlan, platform: PlatformPlan, default_index: str | None
) -> Iterator[Broken]:
    """What a plan for one platform breaks of a policy."""
    yield from _check_base(policy, plan.config, platform.base)
    if policy.non_root and platform.account.uid == 0:
        yield Broken("non-root", f"the image runs as `{platform.account.user}`")
    for chosen in platform.packages:
        yield from _check_source(policy, chosen)
        if policy.allowed_indexes:
            yield from _check_index(policy, chosen, plan.config.index_url or default_index)


def check_settings(policy: Policy, config: BuildConfig) -> Iterator[Broken]:
    """What the options of a build break of a policy."""
    if policy.require_https:
        for host in config.insecure_registries:
            yield Broken("require-https", f"the registry `{host}` may be spoken to over plain http")
        for host in config.allow_http:
            yield Broken("require-https", f"the index `{host}` may be spoken to over plain http")


def check_license(policy: Policy, package: PackageContents, stated: Mapping[str, str]) -> Iterator[Broken]:
    """What the licence of an installed package breaks; `stated` are the licences that policies say packages have.

    Of a package without a known licence nobody can say that it is allowed; nor can anybody say that it is denied.
    """
    said = stated.get(package.name, package.license)
    expression = license_expression(said) if said else None
    name = f"`{package.name} {package.version}`"
    if expression is None:
        if policy.allowed_licenses:
            what = f"declares `{said[:100]}`, which is no SPDX expression" if said else "declares no licence"
            yield Broken("allowed-licenses", f"{name} {what}")
        return
    if not permits(expression, allowed=(), denied=policy.denied_licenses):
        yield Broken("denied-licenses", f"{name} is under {expression}")
    elif not permits(expression, allowed=policy.allowed_licenses, denied=policy.denied_licenses):
        yield Broken("allowed-licenses", f"{name} is under {expression}")


def _check_base(policy: Policy, config: BuildConfig, base: Base) -> Iterator[Broken]:
    # A composed base is made of what the lock of the image has, which names every package by its hash.
    composed = base.reference.startswith(_COMPOSED) and (config.root / _IMAGE_LOCK).exists()
    if policy.pinned_base and "@sha256:" not in base.reference and not composed:
        yield Broken(
            "pinned-base", f"the base image `{base.reference}` is named by no digest; `pycontainer lock` pins it"
        )
    if policy.allowed_bases and not any(_is_base(base, pattern) for pattern in policy.allowed_bases):
        yield Broken("allowed-bases", f"the base image `{base.reference}`")


def _is_base(base: Base, pattern: str) -> bool:
    """Whether a pattern means the base: by its short or whole name, at any tag where the pattern has none."""
    names = {base.reference, base.reference.partition("@")[0]}
    if base.registry_reference:
        reference = Reference.parse(base.registry_reference)
        tagged = reference.with_tag(reference.tag)
        names |= {str(tagged), tagged.familiar, reference.name, reference.with_tag(None).familiar}
        names |= {str(tagged.with_digest(base.top)), f"{reference.name}@{base.top}"}
    return any(fnmatchcase(name, pattern) for name in names)


def _check_source(policy: Policy, chosen: Chosen) -> Iterator[Broken]:
    package, artifact = chosen.package, chosen.artifact
    if policy.no_sdists and chosen.kind in {"sdist", "vcs"}:
        what = "a commit" if chosen.kind == "vcs" else "an sdist"
        yield Broken("no-sdists", f"`{package}` is built of {what}")
    if policy.require_hashes and (artifact is None or not artifact.hashes or package.unhashed):
        what = "is taken from a commit, which has no hash" if artifact is None else "has no hash in the lock"
        yield Broken("require-hashes", f"`{package}` {what}")
    if policy.require_https:
        for url in _addresses(chosen):
            if host := insecure_host(url):
                yield Broken("require-https", f"`{package}` comes over plain http, from `{host}`")


def _check_index(policy: Policy, chosen: Chosen, default_index: str | None) -> Iterator[Broken]:
    package = chosen.package
    if isinstance(package.source, (Url, Vcs)):
        addresses = [package.source.url]
    elif chosen.artifact is not None and chosen.artifact.path is not None:
        addresses = []  # a file of this host, which the lock names
    else:
        addresses = [*_addresses(chosen)] or ([default_index] if default_index else [])
    if any(_is_below(address, allowed) for address in addresses for allowed in policy.allowed_indexes):
        return
    shown = f"`{public_url(addresses[0])}`" if addresses else "no index that the lock names"
    yield Broken("allowed-indexes", f"`{package}` comes from {shown}")


def _addresses(chosen: Chosen) -> Iterator[str]:
    """The addresses that the lock has of a package: its index first, then its file or repository."""
    if chosen.package.index and "://" in chosen.package.index:
        yield chosen.package.index
    if chosen.artifact is not None and chosen.artifact.url:
        yield chosen.artifact.url
    if isinstance(chosen.package.source, (Url, Vcs)):
        yield chosen.package.source.url


def _is_below(url: str, allowed: str) -> bool:
    """Whether a URL is one that is allowed, or lies below it; credentials and the case of the host do not count."""
    one, other = urlsplit(url), urlsplit(allowed)
    if (one.scheme, one.hostname, one.port) != (other.scheme, other.hostname, other.port):
        return False
    return f"{one.path.rstrip('/')}/".startswith(f"{other.path.rstrip('/')}/")
