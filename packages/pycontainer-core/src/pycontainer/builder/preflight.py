"""Before an image goes anywhere: whether the loader will find the shared libraries that its packages need.

    check_images(plan, images, emit=emit)

All of it is known from the records of the layers and the facts of the base, so that it costs nothing to ask each time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pycontainer.errors import BaseImageError
from pycontainer.events import Noted, Warned
from pycontainer.sources.libraries.preflight import check_libraries

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pycontainer.events import Emit
    from pycontainer.image import Image
    from pycontainer.layers.linkage import LinkedLibraries
    from pycontainer.plan import BuildPlan, PlatformPlan
    from pycontainer.sources.libraries.preflight import Missing

_MAX_USERS: Final = 3
_LIBRARY: Final = ".so"


def check_images(plan: BuildPlan, images: Sequence[Image], *, emit: Emit) -> None:
    """Look for libraries that packages need and nobody brings, as `check_libraries` of the options says.

    What stops a package from being imported at all is an error. What only some of its modules need is a warning, and
    what nothing imports by itself, such as a plugin for another database, a line of `--verbose`.

    Raises:
        BaseImageError: There are such libraries; all of all platforms are in one error.
    """
    mode = plan.config.check_libraries
    if mode == "off":
        return
    found = [
        (platform, missing)
        for platform, image in zip(plan.platforms, images, strict=True)
        for missing in _missing(plan, platform, image, emit)
    ]
    whole = [each for each in found if each[1].scope == "package"]
    parts = [each for each in found if each[1].scope == "module"]
    for platform, missing in found:
        if missing.scope == "plugin":
            emit(Noted(message=f"Not in the image: {_fact(plan, platform, missing)}", detail=True))
    if parts:
        message = _message(parts, "parts of the packages need")
        emit(Warned(message=message, facts=_facts(plan, parts), hint=_hint(parts, giving_up="off")))
    if whole:
        message = _message(whole, "the packages need")
        facts, hint = _facts(plan, whole), _hint(whole, giving_up="warn" if mode == "error" else "off")
        if mode == "error":
            raise BaseImageError(message, facts=facts, hint=hint)
        emit(Warned(message=message, facts=facts, hint=hint))


def _missing(plan: BuildPlan, platform: PlatformPlan, image: Image, emit: Emit) -> tuple[Missing, ...]:
    base = platform.base.facts.libraries
    if base is None:
        emit(Noted(message=f"{platform.base.reference} does not tell where its shared libraries are", detail=True))
        return ()
    files = (placed.destination for placed in (*plan.files, *plan.extra_files))
    names = (path.rpartition("/")[2] for path in files)
    return check_libraries(
        _linked(image),
        base,
        others=[name for name in names if _LIBRARY in name],
        directories=image.config.config.environment.get("LD_LIBRARY_PATH", "").split(":"),
    )


def _linked(image: Image) -> Iterator[tuple[str, tuple[LinkedLibraries, ...]]]:
    """What the layers bring and need: of each package, and of files that are none's."""
    for layer in image.layers:
        if layer.contents is not None:
            for package in layer.contents.packages:
                yield f"{package.name} {package.version}", package.libraries
            yield layer.title, layer.contents.libraries


def _facts(plan: BuildPlan, found: Iterable[tuple[PlatformPlan, Missing]]) -> tuple[str, ...]:
    return tuple(_fact(plan, platform, missing) for platform, missing in found)


def _fact(plan: BuildPlan, platform: PlatformPlan, missing: Missing) -> str:
    what = f"`{missing.version}` of `{missing.library}`" if missing.version else f"`{missing.library}`"
    users = [f"{package} ({file})" for package, file in missing.users[:_MAX_USERS]]
    if len(missing.users) > _MAX_USERS:
        users.append(f"and {len(missing.users) - _MAX_USERS} more")
    where = f"{platform.platform}: " if len(plan.platforms) > 1 else ""
    return f"{where}{what}: needed by {', '.join(users)}"


def _hint(found: Sequence[tuple[PlatformPlan, Missing]], *, giving_up: str) -> str:
    """What to do. The names of packages are a guess by Debian's rule, and called one."""
    from pycontainer.sources.libraries.debian_names import debian_packages  # noqa: PLC0415 - only where some miss

    packages = dict.fromkeys(
        package
        for platform, missing in found
        if not missing.version
        for package in debian_packages([missing.library], platform.base.facts.os_release)
    )
    what = "has them" if all(not missing.version for _, missing in found) else "has them, in newer versions"
    names = ", ".join(f"`{name}`" for name in packages)
    add = (
        f"Add {names}, which likely {'have' if len(packages) > 1 else 'has'} them, to {{os_packages}}, or set"
        if names
        else "Set"
    )
    return f"{add} {{base_image}} to an image that {what}, or set {{check_libraries}} to `{giving_up}`"


def _message(found: Sequence[object], need: str) -> str:
    if len(found) == 1:
        return f"1 shared library that {need} is not in the image"
    return f"{len(found)} shared libraries that {need} are not in the image"
