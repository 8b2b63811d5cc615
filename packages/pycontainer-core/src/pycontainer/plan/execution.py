"""The execution parameters of the image: what the base says, what the application needs, what the options say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pycontainer.value import Value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pycontainer.config import BuildConfig
    from pycontainer.oci import ContainerConfig
    from pycontainer.project import ProjectMetadata, Start

_DEFAULT_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_OURS: Final = "org.opencontainers.image."


class Layout(Value, frozen=True, kw_only=True):
    """Where things are in the image, absolute.

    Attributes:
        workdir: The working directory, and the place of the project's files where it is not a package.
        environment: The virtual environment.
        python_path: Directories for `PYTHONPATH`; empty for packages, which are installed.
    """

    workdir: str
    environment: str
    python_path: tuple[str, ...] = ()


def execution_parameters(
    base: ContainerConfig, config: BuildConfig, *, layout: Layout, start: Start, user: str, labels: Mapping[str, str]
) -> dict[str, Any]:
    """The fields of `ContainerConfig` that differ from the base's, for `Image.with_config`."""
    ports = [str(port) for port in config.exposed_ports] or [f"{port}/tcp" for port in start.ports]
    parameters: dict[str, Any] = {
        "user": user,
        "env": tuple(f"{name}={value}" for name, value in _environment(base, config, layout, start).items()),
        "entrypoint": tuple(start.command),
        "cmd": tuple(config.cmd or ()),
        "working_dir": layout.workdir,
        "labels": {**_inherited_labels(base), **labels, **config.labels},
        "exposed_ports": {**base.exposed_ports, **{port: {} for port in ports}},
        "volumes": {**base.volumes, **{path: {} for path in config.volumes}},
    }
    if config.stop_signal:
        parameters["stop_signal"] = config.stop_signal
    return parameters


def image_annotations(
    metadata: ProjectMetadata, *, source: Mapping[str, str], base: Mapping[str, str], created: str | None
) -> dict[str, str]:
    """The predefined annotations of the image-spec (*annotations.md*) that are known of this project.

    Args:
        metadata: The project.
        source: Revision and repository, from version control.
        base: `base.name` and `base.digest` of the base image.
        created: When, as RFC 3339, where the image tells a real time.
    """
    urls = {name.lower().replace(" ", "-"): url for name, url in metadata.urls.items()}
    known = {
        "title": metadata.name,
        "version": metadata.version,
        "description": metadata.description,
        "licenses": metadata.license,
        "authors": ", ".join(metadata.authors),
        "url": _first(urls, ("homepage", "home", "url")),
        "documentation": _first(urls, ("documentation", "docs")),
        "source": _first(urls, ("source", "source-code", "repository", "github", "code")),
        "created": created,
    }
    return {**{_OURS + name: " ".join(value.split()) for name, value in known.items() if value}, **source, **base}


def _environment(base: ContainerConfig, config: BuildConfig, layout: Layout, start: Start) -> dict[str, str]:
    """Variables in the order in which they were first set: base, ours, the application's, the options'."""
    inherited = base.environment
    ours = {
        "PATH": f"{layout.environment}/bin:{inherited.get('PATH', _DEFAULT_PATH)}",
        "VIRTUAL_ENV": layout.environment,
        "PYTHONUNBUFFERED": "1",  # logs are seen when they are written
    }
    if layout.python_path:
        ours["PYTHONPATH"] = ":".join(layout.python_path)
    return {**inherited, **ours, **start.env, **config.env}


def _inherited_labels(base: ContainerConfig) -> dict[str, str]:
    """The base's labels without those that describe the base itself: its title is not this image's."""
    return {name: value for name, value in base.labels.items() if not name.startswith(_OURS)}


def _first(urls: Mapping[str, str], names: Sequence[str]) -> str | None:
    return next((urls[name] for name in names if name in urls), None)
