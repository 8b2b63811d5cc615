"""How an application starts is found by reading its source; nothing of it is imported."""

from __future__ import annotations

from pathlib import Path

import pytest

from pycontainer.errors import ProjectError
from pycontainer.project import Pyproject, Start, find_start

PACKAGE = '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
GUARD = 'if __name__ == "__main__":\n    print(1)'
BOMB = "raise SystemExit('imported')\n"  # every sample begins with it: importing any would end the test run


def start(root: Path, files: dict[str, str], installed: set[str] = frozenset(), port: int | None = None) -> Start:  # type: ignore[assignment]
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(BOMB + text if name.endswith(".py") else text)
    return find_start(Pyproject.read(root), installed=installed, port=port)


@pytest.mark.parametrize(
    ("files", "installed", "command", "ports"),
    [
        pytest.param(
            {"main.py": "from fastapi import FastAPI\napp = FastAPI()"},
            {"fastapi", "uvicorn", "starlette"},
            "uvicorn main:app --host 0.0.0.0 --port 8000",
            (8000,),
            id="fastapi",
        ),
        pytest.param(
            {"src/shop/web/main.py": "import fastapi as f\napi: f.FastAPI = f.FastAPI(title='x')"},
            {"fastapi", "hypercorn"},
            "hypercorn shop.web.main:api --bind 0.0.0.0:8000",
            (8000,),
            id="fastapi-src-alias-hypercorn",
        ),
        pytest.param(
            {"app/main.py": "from fastapi import FastAPI\ndef create(x=1):\n    app = FastAPI()\n    return app"},
            {"fastapi", "uvicorn"},
            "uvicorn --factory app.main:create --host 0.0.0.0 --port 8000",
            (8000,),
            id="fastapi-factory",
        ),
        pytest.param(
            {"app.py": "from flask import Flask\napp = Flask(__name__)"},
            {"flask", "gunicorn"},
            "gunicorn --bind 0.0.0.0:8000 app:app",
            (8000,),
            id="flask",
        ),
        pytest.param(
            {"shop/__init__.py": "from flask import Flask\ndef create_app():\n    return Flask(__name__)"},
            {"flask", "waitress"},
            "waitress-serve --host 0.0.0.0 --port 8000 --call shop:create_app",
            (8000,),
            id="flask-factory-waitress",
        ),
        pytest.param(
            {
                "manage.py": "import django",
                "site1/settings.py": "ROOT_URLCONF = 'site1.urls'",
                "site1/wsgi.py": "import django.core.wsgi\napplication = django.core.wsgi.get_wsgi_application()",
            },
            {"django", "gunicorn"},
            "gunicorn --bind 0.0.0.0:8000 site1.wsgi:application",
            (8000,),
            id="django",
        ),
        pytest.param(
            {"serve.py": "from starlette.applications import Starlette\nx = Starlette()"},
            {"starlette", "uvicorn"},
            "uvicorn serve:x --host 0.0.0.0 --port 8000",
            (8000,),
            id="starlette",
        ),
        pytest.param(
            {"app.py": "from litestar import Litestar\napp = Litestar([])"},
            {"litestar", "uvicorn"},
            "uvicorn app:app --host 0.0.0.0 --port 8000",
            (8000,),
            id="litestar",
        ),
        pytest.param(
            {"dash.py": "import streamlit as st"},
            {"streamlit"},
            "streamlit run dash.py --server.address 0.0.0.0 --server.port 8501 --server.headless true",
            (8501,),
            id="streamlit",
        ),
        pytest.param(
            {"work/tasks.py": "from celery import Celery\nqueue = Celery('x')"},
            {"celery"},
            "celery --app work.tasks.queue worker",
            (),
            id="celery",
        ),
        pytest.param(
            {
                "pyproject.toml": PACKAGE
                + '[project]\nname = "tool"\nversion = "1"\nscripts = {tool = "t:main", other = "t:x"}'
            },
            set(),
            "tool",
            (),
            id="script-of-the-projects-name",
        ),
        pytest.param(
            {
                "pyproject.toml": PACKAGE + '[project]\nname = "tool"\nversion = "1"\nscripts = {run-it = "t:main"}',
                "src/tool/__main__.py": "",
            },
            set(),
            "run-it",
            (),
            id="only-script",
        ),
        pytest.param({"job/__init__.py": "", "job/__main__.py": ""}, set(), "python -m job", (), id="python-m"),
        pytest.param({"report.py": "print(1)"}, set(), "python report.py", (), id="single-file"),
        pytest.param({"main.py": "", "helper.py": ""}, set(), "python main.py", (), id="main-beside-others"),
        pytest.param(
            {"app/__init__.py": "", "app/main.py": "print(1)", "app/words.py": ""},
            set(),
            "python -m app.main",
            (),
            id="main-in-the-app-folder",
        ),
        pytest.param(
            {
                "pyproject.toml": PACKAGE + '[project]\nname = "tool"\nversion = "1"',
                "src/tool/__init__.py": "",
                "src/tool/cli.py": GUARD,
                "noxfile.py": GUARD,
            },
            set(),
            "python -m tool.cli",
            (),
            id="only-guarded-module-of-a-package",
        ),
        pytest.param(
            {
                "setup.py": "from setuptools import setup\nsetup(name='tool', entry_points="
                "{'console_scripts': ['tool = tool:main', 'other=tool:other']})",
                "tool/__init__.py": "",
            },
            set(),
            "tool",
            (),
            id="script-of-setup-py",
        ),
    ],
)
def test_the_command_is_found(
    tmp_path: Path, files: dict[str, str], installed: set[str], command: str, ports: tuple[int, ...]
) -> None:
    found = start(tmp_path, files, installed)
    assert " ".join(found.command) == command
    assert found.ports == ports
    assert found.warning is None


def test_the_first_port_of_the_options_is_used(tmp_path: Path) -> None:
    found = start(tmp_path, {"main.py": "import fastapi\napp = fastapi.FastAPI()"}, {"fastapi", "uvicorn"}, port=9000)
    assert found.command[-1] == "9000"
    assert found.ports == (9000,)


def test_a_development_server_is_used_with_a_warning(tmp_path: Path) -> None:
    found = start(tmp_path, {"app.py": "from flask import Flask\napp = Flask('x')"}, {"flask"})
    assert found.command == ("flask", "--app", "app:app", "run", "--host", "0.0.0.0", "--port", "8000")  # noqa: S104
    assert "gunicorn" in (found.warning or "")


def test_an_application_in_the_tests_folder_is_not_the_application(tmp_path: Path) -> None:
    files = {"tests/app.py": "import fastapi\napp = fastapi.FastAPI()", "main.py": "print(1)"}
    assert start(tmp_path, files, {"fastapi", "uvicorn"}).command == ("python", "main.py")


def test_a_framework_that_is_not_installed_is_not_looked_for(tmp_path: Path) -> None:
    files = {"main.py": "import fastapi\napp = fastapi.FastAPI()"}
    assert start(tmp_path, files, set()).command == ("python", "main.py")


def test_no_server_is_an_error_that_names_the_servers(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="has no server to run it") as caught:
        start(tmp_path, {"main.py": "import fastapi\napp = fastapi.FastAPI()"}, {"fastapi"})
    assert "`uvicorn`" in caught.value.facts[0]
    assert "{entrypoint}" in (caught.value.hint or "")


def test_scripts_that_only_the_projects_tool_knows_count(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(PACKAGE + '[project]\nname = "tool"\ndynamic = ["version", "scripts"]')

    start = find_start(Pyproject.read(tmp_path), installed=(), scripts={"tool": "t:main"})

    assert start.command == ("tool",)


def test_several_scripts_are_an_error_that_lists_them(tmp_path: Path) -> None:
    text = PACKAGE + '[project]\nname = "tool"\nversion = "1"\nscripts = {one = "t:a", two = "t:b"}'
    with pytest.raises(ProjectError, match="2 scripts") as caught:
        start(tmp_path, {"pyproject.toml": text})
    assert "`one`, `two`" in caught.value.facts[0]


def test_two_modules_that_are_made_to_be_run_are_none(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="does not say how it starts"):
        start(tmp_path, {"jobs/one.py": GUARD, "jobs/two.py": GUARD})


def test_a_workspace_names_its_members(tmp_path: Path) -> None:
    files = {
        "pyproject.toml": '[tool.uv.workspace]\nmembers = ["packages/*", ""]\nexclude = ["packages/old"]\n',
        "packages/api/pyproject.toml": '[project]\nname = "shop-api"\n',
        "packages/old/pyproject.toml": '[project]\nname = "old"\n',
        "packages/api/api/__main__.py": GUARD,
        "packages/notes/readme.txt": "",
    }
    with pytest.raises(ProjectError, match="The workspace does not say") as caught:
        start(tmp_path, files)
    assert caught.value.facts[1] == "members: `shop-api`"
    assert "{package}" in (caught.value.hint or "")


def test_nothing_found_says_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="does not say how it starts"):
        start(tmp_path, {"one.py": "", "two.py": ""})


@pytest.mark.parametrize("text", ["def (", "\x00", "x = " + "(" * 5000])
def test_source_that_is_not_python_is_passed_over(tmp_path: Path, text: str) -> None:
    (tmp_path / "broken.py").write_text(text)
    files = {"main.py": "import fastapi\napp = fastapi.FastAPI()"}
    assert start(tmp_path, files, {"fastapi", "uvicorn"}).command[1] == "main:app"
