"""The options that an image was built with, read back from its provenance.

    replay = read_replay(statement)
    replay.source(context)          # goes before everything that the project itself says
    replay.commit, replay.lock

What the image itself has, its variables, labels and command, the provenance names and the image tells.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pycontainer.attest.provenance import BUILD_TYPE
from pycontainer.attest.statement import PROVENANCE
from pycontainer.config.sources import from_table
from pycontainer.errors import DocumentError

if TYPE_CHECKING:
    from pathlib import Path

    from pycontainer.attest.statement import Statement
    from pycontainer.config.sources import Source
    from pycontainer.oci import ImageConfig, Manifest

_EPOCH: Final = "1970-01-01T00:00:00Z"


@dataclass(frozen=True, kw_only=True, slots=True)
class Replay:
    """What provenance says that a build needs.

    Attributes:
        configuration: Options by their keys in files; the base image by digest.
        in_image: Names of options whose values the image has: `env.PORT`, `cmd`.
        commit: Of the source, where it was built in a checkout.
        dirty: Whether that checkout had changes, which nobody has any more.
        lock: The sha256 of the lock file, where there was one.
        version: Of what built it.
    """

    configuration: dict[str, Any]
    in_image: tuple[str, ...]
    commit: str | None
    dirty: bool
    lock: str | None
    version: str | None

    def source(self, context: Path, config: ImageConfig, manifest: Manifest) -> Source:
        """All of it as options, the values that the image has taken from there."""
        table: dict[str, Any] = dict(self.configuration)
        execution = config.config
        values = {"env": execution.environment, "labels": execution.labels, "annotations": manifest.annotations}
        for name in self.in_image:
            key, _, item = name.partition(".")
            if key in values and item in values[key]:
                table.setdefault(key, {})[item] = values[key][item]
            elif key == "entrypoint":
                table[key] = list(execution.entrypoint)
            elif key == "cmd":
                table[key] = list(execution.cmd)
        return from_table(table, name=lambda key: f"{key} in the provenance", base=context, build_at_top=True)


def read_replay(statement: Statement) -> Replay:
    """What a statement of provenance says of the build.

    Raises:
        DocumentError: It is of another kind of build, or something is missing.
    """
    definition = statement.predicate.get("buildDefinition")
    if statement.predicate_type != PROVENANCE or not isinstance(definition, dict):
        raise DocumentError("The provenance has no build definition", facts=[f"expected: `{PROVENANCE}`"])
    if definition.get("buildType") != BUILD_TYPE:
        raise DocumentError(
            "The image was not built by pycontainer, or by another version of it",
            facts=[f"build type: {str(definition.get('buildType'))[:200]}"],
        )
    try:
        external, internal = definition["externalParameters"], definition["internalParameters"]
        resources = {each["name"]: each for each in definition["resolvedDependencies"]}
        configuration = {**external["configuration"], **_created(internal["created"])}
        configuration["base-image"] = _pinned(configuration["base-image"], resources.get("base"))
        source, lock = resources.get("source", {}), resources.get("lock", {})
        return Replay(
            configuration=configuration,
            in_image=tuple(external["inImage"]),
            commit=source.get("digest", {}).get("gitCommit"),
            dirty=bool(source.get("annotations", {}).get("dirty")),
            lock=lock.get("digest", {}).get("sha256"),
            version=statement.predicate["runDetails"]["builder"].get("version", {}).get("pycontainer-core"),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise DocumentError("The provenance is malformed", facts=[f"reason: {error!r}"]) from error


def _created(time: str) -> dict[str, str]:
    """The time, where the build was given one."""
    return {} if time == _EPOCH else {"created": time}


def _pinned(base: str, resource: dict[str, Any] | None) -> str:
    """The base by the digest that it had then; one of packages is told by `pycontainer.lock`."""
    if resource is None or "@" in base or base.startswith(("deb:", "oci:", "oci-archive:", "docker-archive:")):
        return base
    digest = resource.get("annotations", {}).get("index") or f"sha256:{resource['digest']['sha256']}"
    return f"{base}@{digest}"
