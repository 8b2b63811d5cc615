"""How the application starts, found by reading the source.

In this order: a framework's application and its server, the project's own script, a package with `__main__.py`, a
single file, the module that is made to be run. What the options say comes before all of it and never reaches here.

    start = find_start(pyproject, installed={"fastapi", "uvicorn"})
    start.command == ("uvicorn", "app.main:app", "--host", EVERYWHERE, "--port", "8000")
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pycontainer.errors import ProjectError
from pycontainer.project.frameworks import (
    DJANGO_ASGI_SERVERS,
    DJANGO_WSGI_SERVERS,
    EVERYWHERE,
    FRAMEWORKS,
    STREAMLIT_PORT,
    Framework,
    Server,
)
from pycontainer.project.modules import Module, find_modules
from pycontainer.sources.locks.filenames import normalize
from pycontainer.value import Value, field

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from pycontainer.project.pyproject import Pyproject


class Start(Value, frozen=True, kw_only=True):
    """A command and what it needs.

    Attributes:
        command: The entry point, as a list of words.
        ports: TCP ports it listens on.
        env: Variables it needs.
        reason: Why this command, for the plan: `FastAPI application app.main:app`.
        warning: What the user should change, if anything.
    """

    command: tuple[str, ...]
    ports: tuple[int, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""
    warning: str | None = None


def find_start(
    pyproject: Pyproject,
    *,
    installed: Collection[str],
    port: int | None = None,
    scripts: Mapping[str, str] | None = None,
) -> Start:
    """Find the command that starts the application.

    Args:
        pyproject: The project.
        installed: Names of the distributions that the image will hold, normalised (PEP 503).
        port: Where a server is to listen instead of its framework's usual port.
        scripts: The project's commands, where its tool knows more of them than `pyproject.toml` says.

    Raises:
        ProjectError: Nothing was found, or more than one script; the facts say where it was looked for.
    """
    modules = _own_modules(pyproject)
    start = _django(pyproject, modules, installed, port)
    if start is None:
        start = _framework(modules, installed, port)
    if start is None:
        start = _streamlit(pyproject, modules, installed, port)
    if start is None:
        start = _script(pyproject, scripts) or _runnable_package(pyproject, modules) or _single_file(pyproject, modules)
    if start is None:
        start = _module_to_run(pyproject, modules)
    if start is None:
        raise _nothing_found(pyproject, modules)
    return start


def _own_modules(pyproject: Pyproject) -> list[Module]:
    """Its modules without those of the workspace's members, which are projects of their own."""
    members = {member.root for member in pyproject.members}
    return [module for module in find_modules(pyproject.module_roots) if members.isdisjoint(module.path.parents)]


def _framework(modules: Sequence[Module], installed: Collection[str], port: int | None) -> Start | None:
    present = [framework for framework in FRAMEWORKS if framework.distribution in installed]
    for framework in present:
        for module in modules:
            if variable := module.variable_made_by(framework.constructors):
                return _served(framework, f"{module.name}:{variable}", installed, port, factory=False)
    for framework in present:
        for module in modules:
            if factory := module.factory_of(framework.constructors):
                return _served(framework, f"{module.name}:{factory}", installed, port, factory=True)
    return None


def _served(
    framework: Framework, application: str, installed: Collection[str], port: int | None, *, factory: bool
) -> Start:
    server = _installed_server(framework.servers, installed)
    if server is None:
        names = ", ".join(f"`{server.distribution}`" for server in framework.servers)
        raise ProjectError(
            f"The {framework.name} application `{application}` has no server to run it",
            facts=[f"looked for among the dependencies: {names}"],
            hint=f"{framework.advice}, or set {{entrypoint}}",
        )
    number = None if framework.port is None else port or framework.port
    kind = "factory" if factory else "application"
    target = application.replace(":", ".", 1) if server.distribution == "celery" else application
    return Start(
        command=server.command(target, factory, number or 0),
        ports=() if number is None else (number,),
        reason=f"{framework.name} {kind} `{application}`, run by {server.distribution}",
        warning=_development_warning(framework, server),
    )


def _development_warning(framework: Framework, server: Server) -> str | None:
    if not server.development:
        return None
    return f"{framework.name}'s own server is for development; {framework.advice.lower() or 'add a production server'}"


def _django(
    pyproject: Pyproject, modules: Sequence[Module], installed: Collection[str], port: int | None
) -> Start | None:
    if "django" not in installed:
        return None
    settings = next((module for module in modules if module.string_setting("ROOT_URLCONF")), None)
    manage = pyproject.root / "manage.py"
    number = port or 8000
    for kind, servers in (("wsgi", DJANGO_WSGI_SERVERS), ("asgi", DJANGO_ASGI_SERVERS)):
        module = next((module for module in modules if module.path.stem == kind and module.imports("django")), None)
        server = _installed_server(servers, installed)
        if module is not None and server is not None:
            application = f"{module.name}:application"
            return Start(
                command=server.command(application, False, number),
                ports=(number,),
                reason=f"Django application `{application}`, run by {server.distribution}",
            )
    if not manage.is_file() or (settings is None and not modules):
        return None
    return Start(
        command=("python", "manage.py", "runserver", "--noreload", f"{EVERYWHERE}:{number}"),
        ports=(number,),
        reason="Django's `manage.py`",
        warning="Django's own server is for development; add a server such as `gunicorn` to the dependencies",
    )


def _streamlit(
    pyproject: Pyproject, modules: Sequence[Module], installed: Collection[str], port: int | None
) -> Start | None:
    if "streamlit" not in installed:
        return None
    script = next((module for module in modules if module.imports("streamlit")), None)
    if script is None:
        return None
    number = port or STREAMLIT_PORT
    path = script.path.relative_to(pyproject.root).as_posix()
    return Start(
        command=(
            "streamlit",
            "run",
            path,
            "--server.address",
            EVERYWHERE,
            "--server.port",
            str(number),
            "--server.headless",
            "true",
        ),
        ports=(number,),
        reason=f"Streamlit application `{path}`",
    )


def _script(pyproject: Pyproject, known: Mapping[str, str] | None) -> Start | None:
    scripts = (pyproject.metadata.scripts if known is None else known) if pyproject.is_package else {}
    name = normalize(pyproject.metadata.name)
    own = [script for script in scripts if normalize(script) == name]
    chosen = own[0] if own else next(iter(scripts), None) if len(scripts) == 1 else None
    if chosen is None and scripts:
        raise ProjectError(
            f"The project has {len(scripts)} scripts and none is called `{pyproject.metadata.name}`",
            facts=[f"project.scripts: {', '.join(f'`{script}`' for script in scripts)}"],
            hint="Set {entrypoint} to the one that the image starts",
        )
    return Start(command=(chosen,), reason=f"script `{chosen}` of the project") if chosen else None


def _runnable_package(pyproject: Pyproject, modules: Sequence[Module]) -> Start | None:
    name = normalize(pyproject.metadata.name)
    runnable = [module for module in modules if module.path.name == "__main__.py" and module.path.parent != module.root]
    own = [module for module in runnable if normalize(module.name) == name]
    if not runnable:
        return None
    chosen = (own or runnable)[0]
    return Start(command=("python", "-m", chosen.name), reason=f"`__main__.py` of the package `{chosen.name}`")


def _single_file(pyproject: Pyproject, modules: Sequence[Module]) -> Start | None:
    if pyproject.is_package:
        return None
    top = [module for module in modules if module.path.parent == pyproject.root and module.path.stem != "setup"]
    usual = [
        module
        for module in top
        if module.path.stem in {"main", "app", "__main__", normalize(pyproject.metadata.name).replace("-", "_")}
    ]
    chosen = usual[0] if usual else top[0] if len(top) == 1 else None
    return Start(command=("python", chosen.path.name), reason=f"the file `{chosen.path.name}`") if chosen else None


def _module_to_run(pyproject: Pyproject, modules: Sequence[Module]) -> Start | None:
    """`app/main.py` and the like: what is called so and runs something, else the only one with a `__main__` guard."""
    # What stands beside the package of a project is not a part of its wheel: `setup.py`, `noxfile.py`.
    beside = pyproject.root if pyproject.is_package else None
    runnable = [module for module in modules if module.path.parent != beside and module.path.stem != "setup"]
    usual = [module for module in runnable if module.path.stem in {"main", "app"} and module.runs_something]
    guarded = [module for module in runnable if module.has_main_guard]
    chosen = usual[0] if usual else guarded[0] if len(guarded) == 1 else None
    return Start(command=("python", "-m", chosen.name), reason=f"the module `{chosen.name}`") if chosen else None


def _nothing_found(pyproject: Pyproject, modules: Sequence[Module]) -> ProjectError:
    if members := pyproject.members:
        return ProjectError(
            "The workspace does not say how it starts",
            facts=[
                f"workspace: {pyproject.root}",
                f"members: {', '.join(f'`{member.metadata.name}`' for member in members)}",
            ],
            hint="Set {package} to the member whose image is wanted",
        )
    return ProjectError(
        "The project does not say how it starts",
        facts=[
            f"project: {pyproject.root}",
            f"read: {len(modules)} Python file{'s' if len(modules) != 1 else ''}",
            "looked for: an application of a known framework, `project.scripts`, `__main__.py`, a single file",
        ],
        hint="Set {entrypoint}, such as `python -m myapp`",
    )


def _installed_server(servers: Sequence[Server], installed: Collection[str]) -> Server | None:
    return next((server for server in servers if server.distribution in installed), None)
