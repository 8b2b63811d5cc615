"""`ImageBuilder`: a configuration and a project become an image, written to its destinations.

result = ImageBuilder(BuildConfig(tag="ghcr.io/acme/api:1.4", push=True), emit=show).build()
result.references[0]        # ghcr.io/acme/api@sha256:…
"""

from __future__ import annotations

import os
from itertools import chain
from typing import TYPE_CHECKING

from pycontainer.builder.access import PushAccess
from pycontainer.builder.attestations import attested
from pycontainer.builder.bases import find_bases, suite_of, system_supply
from pycontainer.builder.damage import with_whole_layers
from pycontainer.builder.destinations import names_of, open_destinations, output_paths
from pycontainer.builder.documents import document_paths, write_provenance, write_sboms
from pycontainer.builder.layers import make_layers
from pycontainer.builder.ledger import LedgerKeeper
from pycontainer.builder.preflight import check_images
from pycontainer.builder.recipes import order_recipes
from pycontainer.builder.result import BuildResult
from pycontainer.builder.session import Session
from pycontainer.builder.signing import open_signer, sign
from pycontainer.builder.wheels import WheelSupply
from pycontainer.events import Noted, PhaseStarted, ignore
from pycontainer.image import Image, join_platforms
from pycontainer.plan import make_plan
from pycontainer.sources.base import default_base_image

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pycontainer.attest.signing.attachments import StatementSigner
    from pycontainer.builder.bases import OpenSystem
    from pycontainer.builder.destinations import Begin, Destinations
    from pycontainer.builder.recipes import Compiling, Wheels
    from pycontainer.builder.together import Together
    from pycontainer.config import BuildConfig
    from pycontainer.destinations.destination import Written
    from pycontainer.events import Emit
    from pycontainer.layers.layer import Layer
    from pycontainer.layers.recipe import Recipe
    from pycontainer.oci import Platform
    from pycontainer.plan import BuildPlan, PlatformPlan
    from pycontainer.project import Project, Pyproject
    from pycontainer.project.standalone import StandaloneProject
    from pycontainer.sources.base import Base
    from pycontainer.sources.debian.choose import PackageChoice
    from pycontainer.sources.indexes import IndexSettings
    from pycontainer.sources.locks import Lock, LockedPackage

_VERSION = "org.opencontainers.image.version"


class ImageBuilder:
    """Builds one image.

    Args:
        config: The options.
        adapt: Makes of the project that is found in `config.context_path` what a front end's tool says of it.
        indexes: What that tool says of Python indexes; it goes before the settings of uv, pip and Poetry.
        emit: Hears what happens; may be called from several threads.
        together: What it shares with other builds of this run; none where there are no others.
    """

    def __init__(
        self,
        config: BuildConfig,
        *,
        adapt: Callable[[StandaloneProject], Project] | None = None,
        indexes: IndexSettings | None = None,
        emit: Emit = ignore,
        together: Together | None = None,
    ) -> None:
        self._config = config
        self._adapt = adapt
        self._indexes = indexes
        self._emit = emit
        self._together = together

    def run(self) -> BuildPlan | BuildResult:
        """What a front end's user asks for: the plan in a dry run, else the image and a note of what moved.

        Raises:
            PyContainerError: As `plan` and `build`.
        """
        if self._config.dry_run:
            return self.plan()
        result = self.build()
        for layer in result.ledger.layers:
            self._emit(Noted(message=str(layer), detail=True))
        self._emit(Noted(message=str(result.ledger)))
        return result

    def plan(self) -> BuildPlan:
        """What `build` would do. The base's facts and the lock are read, nothing is written but caches.

        Raises:
            PyContainerError: The build cannot be done, as far as is known before it.
        """
        with Session(self._config, self._emit, indexes=self._indexes, together=self._together) as session:
            return self._plan(session, system_supply(session), *self._open(session))

    def build(self) -> BuildResult:
        """Build the image and write it to every destination.

        Raises:
            PyContainerError: It cannot be built or written; no destination has a half of it.
        """
        keeper = LedgerKeeper(self._emit)
        signer = open_signer(self._config, environment=os.environ)
        with Session(self._config, keeper, indexes=self._indexes, together=self._together) as session:
            project, pyproject = self._open(session)
            system = system_supply(session)
            names = names_of(self._config, project.metadata.name)
            access = PushAccess(session.registry, names) if self._config.push else None
            plan = self._plan(session, system, project, pyproject)
            if access is not None:
                access.wait()
            supply, destinations = WheelSupply(session, project), open_destinations(session, names)

            def make(begin: Begin) -> tuple[Image, ...]:
                return attested(plan, _images(session, plan, supply, system, begin), names[0])

            images, outputs = with_whole_layers(session, lambda: _built(session, plan, make, destinations, signer))
            if access is not None:
                access.end()
            session.known.save(chain.from_iterable(image.layers for image in images), origins=names if access else ())
            return BuildResult(
                digest=join_platforms(images).digest,
                images=images,
                outputs=outputs,
                ledger=keeper.close(images, outputs, shared=session.shared.sent if session.shared else 0),
                sboms=write_sboms(plan, images, emit=keeper),
                provenance=write_provenance(plan, images, emit=keeper),
            )

    def _open(self, session: Session) -> tuple[Project, Pyproject]:
        project, pyproject = session.project()
        return (project if self._adapt is None else self._adapt(project)), pyproject

    def _plan(self, session: Session, system: OpenSystem, project: Project, pyproject: Pyproject) -> BuildPlan:
        session.emit(PhaseStarted(name="plan"))
        base = self._config.base or default_base_image(project.root, project.metadata.requires_python)

        def list_files(lock: Lock, packages: Sequence[LockedPackage]) -> Sequence[LockedPackage]:
            session.use_indexes_of(lock)
            if all(package.files_listed for package in packages):
                return packages
            return session.lookup.list_files(packages)

        def choose_system(chosen: Base, platform: Platform) -> PackageChoice | None:
            composed = suite_of(base) is not None  # it has them already
            return system().choose(chosen, platform) if self._config.os_packages and not composed else None

        plan = make_plan(
            self._config,
            project,
            pyproject,
            bases=lambda platforms: find_bases(session, system, base, platforms),
            choose_system=choose_system,
            list_files=list_files,
            skip=[*output_paths(self._config), *document_paths(self._config)],
            fingerprints=session.fingerprints,
            emit=session.emit,
        )
        if plan.config.policies:
            from pycontainer.policy import check_plan  # noqa: PLC0415 - most builds have no policy

            check_plan(plan, default_index=session.default_index)
        return plan


def _built(
    session: Session,
    plan: BuildPlan,
    make: Callable[[Begin], tuple[Image, ...]],
    destinations: Destinations,
    signer: StatementSigner | None,
) -> tuple[tuple[Image, ...], tuple[Written, ...]]:
    """The images, and what became of them at every destination.

    Layers are pushed while others are made, unless policies have to see the image before anybody else does.
    """
    with destinations.taking(ahead=not plan.config.policies) as begin:
        images = make(begin)
        check_images(plan, images, emit=session.emit)
        if plan.config.policies:
            from pycontainer.policy import check_layers  # noqa: PLC0415 - most builds have no policy

            check_layers(plan, images)
        session.emit(PhaseStarted(name="export"))
        return images, destinations.write(sign(join_platforms(images), signer))


def _images(
    session: Session, plan: BuildPlan, supply: WheelSupply, system: OpenSystem, begin: Begin
) -> tuple[Image, ...]:
    """One image a platform, the layers of all of them made side by side; equal recipes are made once."""
    session.emit(PhaseStarted(name="layers"))
    several = len(plan.platforms) > 1
    for platform in plan.platforms:
        for layer in platform.base.image.layers:
            begin(layer, platform.platform if several else None)
    compiling = [_compiling(session, plan, platform) for platform in plan.platforms]
    wheels = [supply.take(plan, platform) for platform in plan.platforms]
    recipes = [
        order_recipes(plan, platform, each, system=_system_recipes(system, platform), compiling=own)
        for platform, each, own in zip(plan.platforms, wheels, compiling, strict=True)
    ]
    of = {recipe.key: each.platform for each, own in zip(plan.platforms, recipes, strict=True) for recipe in own}
    layers = make_layers(session, recipes, ready=lambda key, layer: begin(layer, of[key] if several else None))
    return tuple(
        _image(plan, platform, [layers[recipe.key] for recipe in own], each)
        for platform, own, each in zip(plan.platforms, recipes, wheels, strict=True)
    )


def _system_recipes(system: OpenSystem, platform: PlatformPlan) -> list[Recipe]:
    """The layers of operating system packages, which lie above the account's."""
    if platform.system is None:
        return []
    accounts = {path.lstrip("/"): content for path, content in platform.account.files.items()}
    return system().recipes(platform.system, accounts)


def _compiling(session: Session, plan: BuildPlan, platform: PlatformPlan) -> Compiling | None:
    """What makes the layers of bytecode, where they are wanted; a Python that is missing for it is found so early."""
    if not plan.config.compile_bytecode:
        return None
    from pycontainer.builder.bytecode import BytecodeSupply  # noqa: PLC0415 - most builds have none

    return BytecodeSupply(session).compiling(plan, platform)


def _image(plan: BuildPlan, platform: PlatformPlan, layers: Sequence[Layer], wheels: Wheels) -> Image:
    annotations, execution = dict(plan.annotations), dict(platform.execution)
    if wheels.project is not None and _VERSION not in annotations:  # only its backend knew
        annotations[_VERSION] = wheels.project.version
        execution["labels"] = {_VERSION: wheels.project.version, **execution["labels"]}
    image = platform.base.image.append(layers, created=plan.created)
    return image.with_config(created=plan.created, **execution).with_annotations(annotations)
