"""From chosen packages to wheels: fetched by hash, or built from their sources.

A wheel whose hash and size the lock tells is fetched when it is first opened, which may be never.

wheels = WheelSupply(session).take(plan, platform)
"""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING

from pycontainer.blobs.hashing import hash_file
from pycontainer.builder.recipes import Wheels
from pycontainer.sources.builds import direct_url
from pycontainer.sources.fetch import gather
from pycontainer.sources.locks.filenames import parse_wheel
from pycontainer.sources.wheels import WheelInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycontainer.builder.session import Session
    from pycontainer.plan import BuildPlan, PlatformPlan
    from pycontainer.project import Project
    from pycontainer.sources.fetch import Fetched
    from pycontainer.sources.locks import Artifact, Chosen
    from pycontainer.sources.target import Target


class WheelSupply:
    """Supplies wheels for every platform of a build, each fetched or built once.

    Args:
        session: The services of the build.
        project: Builds its own wheel.
    """

    def __init__(self, session: Session, project: Project) -> None:
        self._session = session
        self._project = project
        self._lock = threading.Lock()

    def take(self, plan: BuildPlan, platform: PlatformPlan) -> Wheels:
        """The wheels of one platform.

        Raises:
            PyContainerError: A wheel cannot be had; where several fail, one error names all of them.
        """
        target = platform.target
        return Wheels(
            packages=self._all(platform.packages, target),
            local=self._all(platform.local_packages, target),
            project=self._own(target) if plan.installs_project else None,
        )

    def _all(self, chosen: Sequence[Chosen], target: Target) -> tuple[WheelInput, ...]:
        tasks = [partial(self._one, each, target) for each in chosen]
        return tuple(gather(tasks, self._session.jobs, interrupt=self._session.stop_downloads))

    def _one(self, chosen: Chosen, target: Target) -> WheelInput:
        package, artifact = chosen.package, chosen.artifact
        if chosen.kind == "wheel" and artifact is not None:
            sha256, size = artifact.hashes.get("sha256"), artifact.size
            if sha256 is None or size is None:
                fetched = self._fetched(artifact)
                sha256, size = fetched.sha256, fetched.size
            return WheelInput(
                name=package.name,
                version=package.version or "",
                filename=artifact.filename,
                sha256=sha256.lower(),
                open_path=lambda: self._fetched(artifact).path,
                direct_url=direct_url(chosen),
                size=size,
            )
        built = self._session.builder.build(chosen, target)
        name = parse_wheel(built.filename)
        return WheelInput(
            name=package.name,
            version=name.version if name else "",
            filename=built.filename,
            sha256=built.sha256,
            open_path=lambda: built.path,
            direct_url=direct_url(chosen),
            size=built.size,
        )

    def _fetched(self, artifact: Artifact) -> Fetched:
        return self._session.fetcher.fetched(artifact)

    def _own(self, target: Target) -> WheelInput:
        """The project's wheel, built for the target; front ends build theirs one at a time."""
        from pycontainer.sources.builds.fit import check_fits  # noqa: PLC0415 - only for projects that are packages

        folder = self._session.folder / f"project-{target.machine}"
        with self._lock:
            folder.mkdir(exist_ok=True)
            path = self._project.build_wheel(folder, target)
        check_fits(path.name, target, package=self._project.metadata.name)
        name = parse_wheel(path.name)
        size, sha256 = hash_file(path)
        return WheelInput(
            name=name.name if name else self._project.metadata.name,
            version=name.version if name else "",
            filename=path.name,
            sha256=sha256,
            open_path=lambda: path,
            size=size,
        )
