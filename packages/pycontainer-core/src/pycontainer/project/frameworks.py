"""Frameworks: how each one's application is found in the source, and which server runs it.

A framework is a row of `FRAMEWORKS`. To add one, add its row and a sample to the tests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from pycontainer.value import Value

if TYPE_CHECKING:
    from collections.abc import Callable

Command: TypeAlias = "tuple[str, ...]"


# A container has its own network: only what listens on every address can be reached from outside of it.
EVERYWHERE: Final = "0.0.0.0"  # noqa: S104


class Server(Value, frozen=True, kw_only=True):
    """A program that serves an application.

    Attributes:
        distribution: The package that brings it, normalised.
        command: From `module:variable`, whether that is a factory, and the port, to the command line.
        development: Whether it is meant for development only, so that its use earns a warning.
    """

    distribution: str
    command: Callable[[str, bool, int], Command]
    development: bool = False


class Framework(Value, frozen=True, kw_only=True):
    """How applications of one framework look and start.

    Attributes:
        name: For people.
        distribution: The package that must be among the dependencies, normalised.
        constructors: Full names of the classes that make an application.
        servers: In the order of preference; the first that is installed is used.
        port: Where it listens unless the options say otherwise; none for a worker.
        advice: What to add when no server is installed.
    """

    name: str
    distribution: str
    constructors: frozenset[str]
    servers: tuple[Server, ...]
    port: int | None = 8000
    advice: str = ""


def _uvicorn(application: str, factory: bool, port: int) -> Command:  # noqa: FBT001 - the shape of `Server.command`
    return ("uvicorn", *(["--factory"] if factory else []), application, "--host", EVERYWHERE, "--port", str(port))


def _hypercorn(application: str, factory: bool, port: int) -> Command:  # noqa: FBT001
    return ("hypercorn", f"{application}()" if factory else application, "--bind", f"{EVERYWHERE}:{port}")


def _granian(application: str, factory: bool, port: int, interface: str = "asgi") -> Command:  # noqa: FBT001
    flags = ["--factory"] if factory else []
    return ("granian", "--interface", interface, *flags, application, "--host", EVERYWHERE, "--port", str(port))


def _granian_wsgi(application: str, factory: bool, port: int) -> Command:  # noqa: FBT001
    return _granian(application, factory, port, "wsgi")


def _daphne(application: str, factory: bool, port: int) -> Command:  # noqa: FBT001
    del factory  # Django's asgi.py is never one
    return ("daphne", "--bind", EVERYWHERE, "--port", str(port), application)


def _gunicorn(application: str, factory: bool, port: int) -> Command:  # noqa: FBT001
    return ("gunicorn", "--bind", f"{EVERYWHERE}:{port}", f"{application}()" if factory else application)


def _waitress(application: str, factory: bool, port: int) -> Command:  # noqa: FBT001
    return ("waitress-serve", "--host", EVERYWHERE, "--port", str(port), *(["--call"] if factory else []), application)


def _flask_run(application: str, factory: bool, port: int) -> Command:  # noqa: FBT001
    return (
        "flask",
        "--app",
        f"{application}()" if factory else application,
        "run",
        "--host",
        EVERYWHERE,
        "--port",
        str(port),
    )


def _litestar_run(application: str, factory: bool, port: int) -> Command:  # noqa: FBT001
    del factory  # its command finds out by itself
    return ("litestar", "--app", application, "run", "--host", EVERYWHERE, "--port", str(port))


def _celery(application: str, factory: bool, port: int) -> Command:  # noqa: FBT001
    del factory, port
    return ("celery", "--app", application, "worker")


_ASGI = (
    Server(distribution="uvicorn", command=_uvicorn),
    Server(distribution="hypercorn", command=_hypercorn),
    Server(distribution="granian", command=_granian),
)
_WSGI = (
    Server(distribution="gunicorn", command=_gunicorn),
    Server(distribution="waitress", command=_waitress),
    Server(distribution="granian", command=_granian_wsgi),
)

# `wsgi.py` and `asgi.py` of a Django project call these; settings are found beside them.
DJANGO_ASGI_SERVERS: Final = (*_ASGI, Server(distribution="daphne", command=_daphne))
DJANGO_WSGI_SERVERS: Final = _WSGI
STREAMLIT_PORT: Final = 8501

# Django and Streamlit have no constructor to look for: `start.py` finds them by their files.
FRAMEWORKS: Final = (
    Framework(
        name="FastAPI",
        distribution="fastapi",
        constructors=frozenset({"fastapi.FastAPI", "fastapi.applications.FastAPI"}),
        servers=_ASGI,
        advice="Add a server such as `uvicorn` to the dependencies",
    ),
    Framework(
        name="Litestar",
        distribution="litestar",
        constructors=frozenset({"litestar.Litestar", "litestar.app.Litestar"}),
        servers=(*_ASGI, Server(distribution="litestar", command=_litestar_run, development=True)),
    ),
    Framework(
        name="Quart",
        distribution="quart",
        constructors=frozenset({"quart.Quart", "quart.app.Quart"}),
        servers=_ASGI,
        advice="Add a server such as `hypercorn` to the dependencies",
    ),
    Framework(
        name="Starlette",
        distribution="starlette",
        constructors=frozenset({"starlette.applications.Starlette"}),
        servers=_ASGI,
        advice="Add a server such as `uvicorn` to the dependencies",
    ),
    Framework(
        name="Flask",
        distribution="flask",
        constructors=frozenset({"flask.Flask", "flask.app.Flask"}),
        servers=(*_WSGI, Server(distribution="flask", command=_flask_run, development=True)),
        advice="Add a server such as `gunicorn` to the dependencies",
    ),
    Framework(
        name="Celery",
        distribution="celery",
        constructors=frozenset({"celery.Celery"}),
        servers=(Server(distribution="celery", command=_celery),),
        port=None,
    ),
)
