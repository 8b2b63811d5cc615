"""What a build will do: printable, and decided before any layer is written.

plan = make_plan(config, project, …)
print(plan.describe())
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from pycontainer.value import Value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pycontainer.config import BuildConfig
    from pycontainer.oci import Platform
    from pycontainer.plan.account import Account
    from pycontainer.plan.execution import Layout
    from pycontainer.project import ProjectMetadata, Start
    from pycontainer.sources.base import Base
    from pycontainer.sources.debian.choose import PackageChoice
    from pycontainer.sources.files import PlacedFile
    from pycontainer.sources.locks import Chosen, Lock
    from pycontainer.sources.target import Target
    from pycontainer.sources.wheels import Environment


class PlatformPlan(Value, frozen=True, kw_only=True):
    """What the image of one platform will be.

    Attributes:
        target: Platform, Python and libc that wheels are chosen for.
        base: The base image and its facts.
        environment: The virtual environment in the image.
        packages: Third-party packages, in the order of the lock.
        local_packages: Packages from directories beside the project: workspace members, path dependencies.
        system: Operating system packages that are added to the base, where there are any.
        account: Who the image runs as.
        execution: Fields of `ContainerConfig` that differ from the base's.
    """

    target: Target
    base: Base
    environment: Environment
    packages: tuple[Chosen, ...]
    local_packages: tuple[Chosen, ...]
    account: Account
    system: PackageChoice | None
    execution: Mapping[str, Any]

    @property
    def platform(self) -> Platform:
        """The platform of the image."""
        return self.target.platform


class BuildPlan(Value, frozen=True, kw_only=True):
    """What a build will do.

    Attributes:
        metadata: The project's metadata.
        lock: The name and the digest of the lock, for people; or none where there is none.
        lock_file: The lock itself.
        start: How the application starts, and why that way.
        layout: Where things are in the image.
        platforms: One plan a platform, in the order in which they were asked for.
        installs_project: Whether the project's own wheel is installed; else its files are copied.
        files: The project's files, where it is not a package or the options include some.
        extra_files: Files that the options add.
        annotations: For the manifests and the index.
        created: RFC 3339.
    """

    config: BuildConfig
    metadata: ProjectMetadata
    lock: str | None
    start: Start
    layout: Layout
    platforms: tuple[PlatformPlan, ...]
    installs_project: bool
    files: tuple[PlacedFile, ...]
    extra_files: tuple[PlacedFile, ...]
    annotations: Mapping[str, str]
    created: str
    lock_file: Lock | None = None

    def describe(self) -> str:
        """The plan for people: one line a fact, aligned."""
        return "\n".join(f"{name:<12} {value}".rstrip() for name, value in self._lines())

    def to_json(self) -> dict[str, Any]:
        """The plan for programs: JSON values, stable names."""
        return {
            "project": {"name": self.metadata.name, "version": self.metadata.version, "package": self.installs_project},
            "lock": self.lock,
            "command": [*self.start.command, *(self.config.cmd or ())],
            "reason": self.start.reason,
            "workdir": self.layout.workdir,
            "created": self.created,
            "annotations": dict(self.annotations),
            "files": [placed.destination for placed in (*self.files, *self.extra_files)],
            "policies": [policy.origin for policy in self.config.policies],
            "platforms": [_platform_json(plan) for plan in self.platforms],
        }

    def _lines(self) -> Iterator[tuple[str, str]]:
        yield "project", ", ".join(self._project())
        yield "lock", self.lock or "none"
        yield "starts", shlex.join([*self.start.command, *(self.config.cmd or ())])
        yield "", self.start.reason
        for plan in self.platforms:
            yield str(plan.platform), f"base {plan.base.reference} ({_facts(plan)})"
            yield "", f"user {plan.account.user}"
            if plan.system is not None:
                yield "", _named("Debian package", [str(package) for package in plan.system.packages])
            packages = [*plan.packages, *plan.local_packages]
            yield "", _named("package", [str(chosen.package) for chosen in packages])
            for chosen in packages:
                if chosen.kind != "wheel":
                    yield "", f"to build: {chosen.package} (from {chosen.kind})"
        for placed in self.extra_files:
            yield "adds", placed.destination
        for policy in self.config.policies:
            yield "policy", f"{policy.origin}: {', '.join(policy.rules())}"

    def _project(self) -> Iterator[str]:
        version = self.metadata.version or ("(version from its backend)" if self.installs_project else "")
        yield f"{self.metadata.name} {version}".rstrip()
        if self.installs_project:
            yield "installed as a package"
        if self.files or not self.installs_project:
            yield f"{_count(len(self.files), 'file')} copied"


def _facts(plan: PlatformPlan) -> str:
    return f"CPython {plan.target.python}, {plan.target.libc}"


def _platform_json(plan: PlatformPlan) -> dict[str, Any]:
    return {
        "platform": str(plan.platform),
        "base": {"reference": plan.base.reference, "digest": str(plan.base.digest)},
        "python": str(plan.target.python),
        "libc": str(plan.target.libc),
        "user": plan.account.user,
        "environment": plan.environment.prefix,
        "os_packages": [
            {"name": deb.name, "version": deb.version, "architecture": deb.architecture, "sha256": deb.sha256}
            for deb in (plan.system.debs if plan.system else ())
        ],
        "packages": [
            {
                "name": chosen.package.name,
                "version": chosen.package.version,
                "kind": chosen.kind,
                "file": chosen.artifact.filename if chosen.artifact else None,
            }
            for chosen in (*plan.packages, *plan.local_packages)
        ],
    }


def _named(noun: str, names: Sequence[str]) -> str:
    return f"{_count(len(names), noun)}: {', '.join(names)}" if names else f"no {noun}s"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
