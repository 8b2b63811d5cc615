"""The images of several members of a workspace, built side by side.

    names = choose_members(root, ["api", "worker"])         # or, without names, all that have an image
    outcomes = build_members({name: config_of(name) for name in names}, emit=emit)
    outcomes["api"]                                         # a `BuildResult`, or what went wrong

What members have in common is resolved, downloaded, built and made once; one that fails does not keep others from
being built.
"""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from pycontainer.builder.builder import ImageBuilder
from pycontainer.builder.destinations import names_of, output_paths
from pycontainer.builder.documents import document_paths
from pycontainer.builder.together import Together
from pycontainer.config.load import CONFIG_FILE
from pycontainer.errors import ConfigError, ProjectError, PyContainerError
from pycontainer.events import Noted, PhaseStarted, Warned
from pycontainer.project import Pyproject
from pycontainer.project.standalone import find_project
from pycontainer.sources.locks.filenames import normalize
from pycontainer.value import replace

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from pycontainer.builder.result import BuildResult
    from pycontainer.config import BuildConfig
    from pycontainer.events import Emit, Event
    from pycontainer.plan import BuildPlan

# Each has threads of its own for downloads and layers.
_AT_ONCE: Final = 4


def choose_members(root: Path, names: Sequence[str] = ()) -> tuple[str, ...]:
    """The members of a workspace, by normalised name, each once: those that are named, else all that have an image.

    Those have an image that have settings for it (`[tool.pycontainer]` or `pycontainer.toml`); where none has any, all.

    Raises:
        ProjectError: There is no such member, or the directory is no workspace.
    """
    if names:
        return tuple(dict.fromkeys(normalize(find_project(root, name).metadata.name) for name in names))
    workspace = Pyproject.read(root)
    members = [*workspace.members, *([workspace] if "project" in workspace.tables else [])]
    if not workspace.members:
        raise ProjectError(
            "The project is not a workspace",
            facts=[f"project: {workspace.root}", "`tool.uv.workspace` in pyproject.toml names no members"],
            hint="Set {context_path} to the root of the workspace",
        )
    own = [member for member in workspace.members if _has_settings(member)]
    return tuple(sorted(normalize(member.metadata.name) for member in own or members))


def build_members(configs: Mapping[str, BuildConfig], *, emit: Emit) -> dict[str, BuildResult | PyContainerError]:
    """Build an image for each configuration, by the name of the member that it is of.

    Raises:
        ConfigError: Two of them have the same name or place; nothing is built then.
    """
    _refuse_twins(configs)
    with Together() as together, ThreadPoolExecutor(min(_AT_ONCE, len(configs)), thread_name_prefix="member") as pool:
        futures = {
            name: pool.submit(_build, name, config, together=together, emit=emit) for name, config in configs.items()
        }
        try:
            return {name: future.result() for name, future in futures.items()}
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def plan_members(configs: Mapping[str, BuildConfig], *, emit: Emit) -> dict[str, BuildPlan]:
    """What `build_members` would do, by name.

    Raises:
        PyContainerError: One of the images cannot be built, as far as is known before.
    """
    _refuse_twins(configs)
    with Together() as together:
        return {
            name: ImageBuilder(config, emit=_named(name, emit), together=together).plan()
            for name, config in configs.items()
        }


def _build(name: str, config: BuildConfig, *, together: Together, emit: Emit) -> BuildResult | PyContainerError:
    told = _named(name, emit)
    try:
        result = ImageBuilder(config, emit=told, together=together).build()
    except PyContainerError as error:
        return error
    unchanged = not result.ledger.moved and not result.ledger.made
    told(Noted(message="nothing has changed" if unchanged else str(result.ledger)))
    return result


def _named(name: str, emit: Emit) -> Emit:
    """Tells whose event it is. Phases are not told: several run at once."""

    def tell(event: Event) -> None:
        if isinstance(event, (Noted, Warned)):
            emit(replace(event, message=f"{name}: {event.message}"))
        elif not isinstance(event, PhaseStarted):
            emit(replace(event, name=f"{name}: {event.name}"))

    return tell


def _has_settings(member: Pyproject) -> bool:
    return bool(member.tool("pycontainer")) or (member.root / CONFIG_FILE).is_file()


def _refuse_twins(configs: Mapping[str, BuildConfig]) -> None:
    """Refuse images that would overwrite each other.

    Raises:
        ConfigError: It lists every name and path that several would have.
    """
    counts = Counter(place for name, config in configs.items() for place in set(_places(name, config)))
    twins = sorted(place for place, count in counts.items() if count > 1)
    if twins:
        raise ConfigError(
            "Several members would have one image",
            facts=[*twins, "`{name}` in a tag or a path stands for the name of the member"],
            hint="Set {tag} and {output} so that each has its own",
        )


def _places(name: str, config: BuildConfig) -> Iterator[str]:
    yield from (f"tag: {reference}" for reference in names_of(config, name))
    yield from (f"output: {path}" for path in output_paths(config))
    if config.generate_sbom:
        yield from (f"bill of materials: {path}" for path in document_paths(config))
