"""Every shape of project becomes an image that holds what it should and starts as it should, with no options.

The real command, a forged base and an index on loopback: nothing here needs a network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from bench import Bench
from contents import Contents, read_contents

from pycontainer.destinations.layout import LayoutDestination
from pycontainer.image import ImageIndex
from pycontainer.oci import Platform
from pycontainer.testing.images import debian_like
from pycontainer.testing.wheels import WheelForge

SITE = "/app/.venv/lib/python3.12/site-packages"
GUARD = 'if __name__ == "__main__":\n    print("hello")\n'
# A build backend in the project's own tree, so that no index has to have one.
BACKEND = """
import pathlib, zipfile
NAME, VERSION, ROOT, METADATA, SCRIPTS = {name!r}, {version!r}, {root!r}, {metadata!r}, {scripts!r}
INFO = f"{{NAME}}-{{VERSION}}.dist-info"

def prepare_metadata_for_build_wheel(directory, config_settings=None):
    folder = pathlib.Path(directory, INFO)
    folder.mkdir()
    (folder / "METADATA").write_text(_metadata())
    return INFO

def _metadata():
    return f"Metadata-Version: 2.1\\nName: {{NAME}}\\nVersion: {{VERSION}}\\n{{METADATA}}"

def build_wheel(directory, config_settings=None, metadata_directory=None):
    files = {{
        path.relative_to(ROOT).as_posix(): path.read_bytes()
        for path in sorted(pathlib.Path(ROOT, NAME).rglob("*")) if path.is_file() and path.suffix != ".pyc"
    }}
    files[f"{{INFO}}/METADATA"] = _metadata().encode()
    files[f"{{INFO}}/WHEEL"] = b"Wheel-Version: 1.0\\nGenerator: t\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
    if SCRIPTS:
        files[f"{{INFO}}/entry_points.txt"] = f"[console_scripts]\\n{{SCRIPTS}}\\n".encode()
    import base64, hashlib
    rows = [f"{{INFO}}/RECORD,,"]
    for path, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        rows.append(f"{{path}},sha256={{digest}},{{len(content)}}")
    files[f"{{INFO}}/RECORD"] = "\\n".join(rows).encode() + b"\\n"
    name = f"{{NAME}}-{{VERSION}}-py3-none-any.whl"
    with zipfile.ZipFile(pathlib.Path(directory, name), "w") as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return name
"""
BUILD_SYSTEM = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'


def backend(name: str = "shop", *, version: str = "1.0", root: str = ".", metadata: str = "", scripts: str = "") -> str:
    return BACKEND.format(name=name, version=version, root=root, metadata=metadata, scripts=scripts)


@dataclass(frozen=True, kw_only=True)
class Shape:
    """A project, and the image that it must become.

    Attributes:
        files: Of the project.
        locked: Names of forged packages that its lock pins, beside `demo`.
        arguments: Of the command.
        entrypoint: Words of the command that the container runs.
        holds: Absolute paths that must be in the image.
        lacks: Those that must not.
        app: If given, exactly the files of the working directory that are not the environment's.
        python_path: `PYTHONPATH` of the container.
        says: What the command must tell.
    """

    files: Mapping[str, str]
    locked: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    entrypoint: str
    holds: frozenset[str] = frozenset()
    lacks: frozenset[str] = frozenset()
    app: frozenset[str] | None = None
    python_path: str | None = None
    says: tuple[str, ...] = field(default=())


PROJECT = '[project]\nname = "shop"\nversion = "1.0"\n'
SHAPES = {
    "single-file": Shape(
        files={"job.py": "print(1)\n"},
        entrypoint="python job.py",
        app=frozenset({"job.py"}),
        python_path="/app",
    ),
    "single-file-with-requirements": Shape(
        files={"main.py": "import demo\n"},
        locked=("demo",),
        entrypoint="python main.py",
        holds=frozenset({f"{SITE}/demo/__init__.py", "/app/main.py"}),
    ),
    "app-folder": Shape(
        files={"pyproject.toml": PROJECT, "app/__init__.py": "", "app/main.py": "print(1)\n", "app/words.txt": "x"},
        entrypoint="python -m app.main",
        app=frozenset({"pyproject.toml", "app/__init__.py", "app/main.py", "app/words.txt"}),
        python_path="/app",
    ),
    "src-package-with-data-and-script": Shape(
        files={
            "pyproject.toml": PROJECT + 'scripts = { shop = "shop.cli:main" }\n' + BUILD_SYSTEM,
            "backend.py": backend(root="src", scripts="shop = shop.cli:main"),
            "src/shop/__init__.py": "",
            "src/shop/cli.py": "def main():\n    pass\n",
            "src/shop/data/words.txt": "x",
        },
        entrypoint="shop",
        holds=frozenset({f"{SITE}/shop/cli.py", f"{SITE}/shop/data/words.txt", "/app/.venv/bin/shop"}),
        app=frozenset(),
    ),
    "flat-package-with-main": Shape(
        files={
            "pyproject.toml": PROJECT + BUILD_SYSTEM,
            "backend.py": backend(),
            "shop/__init__.py": "",
            "shop/__main__.py": "print(1)\n",
        },
        entrypoint="python -m shop",
        holds=frozenset({f"{SITE}/shop/__main__.py"}),
        app=frozenset(),
    ),
    "package-with-one-module-made-to-run": Shape(
        files={
            "pyproject.toml": PROJECT + BUILD_SYSTEM,
            "backend.py": backend() + GUARD,  # beside the package, so not a part of it
            "shop/__init__.py": "",
            "shop/worker.py": GUARD,
        },
        entrypoint="python -m shop.worker",
    ),
    "version-of-the-backend": Shape(
        files={
            "pyproject.toml": '[project]\nname = "shop"\ndynamic = ["version"]\n' + BUILD_SYSTEM,
            "backend.py": backend(version="2.5"),
            "shop/__main__.py": "",
        },
        entrypoint="python -m shop",
        holds=frozenset({f"{SITE}/shop-2.5.dist-info/METADATA"}),
    ),
    "dependencies-of-the-backend-without-a-lock": Shape(
        files={
            "pyproject.toml": '[project]\nname = "shop"\nversion = "1.0"\ndynamic = ["dependencies"]\n'
            'requires-python = ">=3.10"\n' + BUILD_SYSTEM,
            "backend.py": backend(metadata="Requires-Dist: demo\n"),
            "shop/__main__.py": "import demo\n",
        },
        entrypoint="python -m shop",
        holds=frozenset({f"{SITE}/demo/__init__.py"}),
        says=("The project has no lock, so its dependencies are resolved now",),
    ),
    "requirements-in-without-a-lock": Shape(
        files={"main.py": "import demo\n", "requirements.in": "demo\n"},
        entrypoint="python main.py",
        holds=frozenset({f"{SITE}/demo/__init__.py"}),
        says=("uv pip compile requirements.in",),
    ),
    "group-without-dependencies-and-lock": Shape(
        files={"pyproject.toml": PROJECT + '[dependency-groups]\nweb = ["demo"]\n', "main.py": "import demo\n"},
        arguments=("--group", "web"),
        entrypoint="python main.py",
        holds=frozenset({f"{SITE}/demo/__init__.py"}),
    ),
    "no-dependencies": Shape(
        files={"pyproject.toml": PROJECT, "main.py": ""},
        entrypoint="python main.py",
        app=frozenset({"main.py", "pyproject.toml"}),
    ),
    "dependencies-left-out": Shape(
        files={"pyproject.toml": PROJECT + 'dependencies = ["demo"]\n', "main.py": ""},
        arguments=("--no-include-deps",),
        entrypoint="python main.py",
        lacks=frozenset({f"{SITE}/demo/__init__.py"}),
    ),
    "package-that-is-none": Shape(
        files={
            "pyproject.toml": PROJECT + "[tool.uv]\npackage = false\n" + BUILD_SYSTEM,
            "src/shop/__main__.py": "",
        },
        entrypoint="python -m shop",
        app=frozenset({"pyproject.toml", "src/shop/__main__.py"}),
        python_path="/app/src:/app",
    ),
    "poetrys-older-tables": Shape(
        files={
            "pyproject.toml": '[tool.poetry]\nname = "shop"\nversion = "1.0"\n'
            '[tool.poetry.dependencies]\npython = "^3.11"\n[tool.poetry.scripts]\nshop = "shop:main"\n' + BUILD_SYSTEM,
            "backend.py": backend(scripts="shop = shop:main"),
            "shop/__init__.py": "def main():\n    pass\n",
        },
        entrypoint="shop",
        holds=frozenset({f"{SITE}/shop/__init__.py"}),
    ),
    "flask-factory": Shape(
        files={
            "web/__init__.py": "from flask import Flask\ndef create_app(config=None):\n    return Flask('web')\n",
            "web/templates/index.html": "x",
        },
        locked=("flask", "gunicorn"),
        entrypoint="gunicorn --bind 0.0.0.0:8000 web:create_app()",
        app=frozenset({"web/__init__.py", "web/templates/index.html"}),
    ),
    "django": Shape(
        files={
            "manage.py": GUARD,
            "site1/settings.py": "ROOT_URLCONF = 'site1.urls'\n",
            "site1/wsgi.py": "import django.core.wsgi\napplication = django.core.wsgi.get_wsgi_application()\n",
        },
        locked=("django", "gunicorn"),
        entrypoint="gunicorn --bind 0.0.0.0:8000 site1.wsgi:application",
        holds=frozenset({"/app/manage.py", "/app/site1/settings.py"}),
    ),
    "included-excluded-and-added": Shape(
        files={"main.py": "", "web/a.txt": "a", "web/b.log": "b", "notes.txt": "n", "etc/app.ini": "i"},
        arguments=(
            *("--include", "main.py", "--include", "web", "--exclude", "*.log"),
            *("--add", "etc/app.ini:/etc/shop/app.ini:0640"),
        ),
        entrypoint="python main.py",
        app=frozenset({"main.py", "web/a.txt"}),
        holds=frozenset({"/etc/shop/app.ini"}),
    ),
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_a_project_becomes_the_image_that_it_should(bench: Bench, shape: Shape) -> None:
    empty(bench)
    publish(bench, "demo")
    for name in shape.locked:
        bench.lock_forge(WheelForge(name=name, files={f"{name}/__init__.py": b""}))
    for name, text in shape.files.items():
        bench.write(name, text)
    contents, said = build(bench, *shape.arguments)
    assert " ".join(contents.config["Entrypoint"]) == shape.entrypoint
    assert shape.holds <= contents.files.keys()
    assert not shape.lacks & contents.files.keys()
    if shape.app is not None:
        ours = {path for path in contents.below("/app") if not path.startswith(".venv/")}
        assert ours - {"pylock.toml"} == shape.app
    if shape.python_path is not None:
        assert contents.environment["PYTHONPATH"] == shape.python_path
    for text in shape.says:
        assert text in said


def empty(bench: Bench) -> None:
    """Take away what the bench begins with."""
    for path in bench.root.iterdir():
        path.unlink()


def publish(bench: Bench, name: str) -> None:
    """Have the index offer a package, for what resolves without a lock."""
    forge = WheelForge(name=name, files={f"{name}/__init__.py": b""})
    bench.index.add(name, forge.filename, forge.build())


def build(bench: Bench, *arguments: str) -> tuple[Contents, str]:
    outcome = bench.build("--index-url", bench.index.simple, *arguments)
    assert outcome.code == 0, outcome.err
    assert outcome.out.count("\n") == 1
    return read_contents(bench.root / "dist/image"), outcome.err


WORKSPACE_LOCK = """
version = 1
revision = 3
requires-python = ">=3.10"

[manifest]
members = ["api", "words"]

[[package]]
name = "api"
version = "1.0"
source = { editable = "packages/api" }
dependencies = [{ name = "words" }]

[package.metadata]
requires-dist = [{ name = "words", editable = "packages/words" }]

[[package]]
name = "words"
version = "1.0"
source = { editable = "packages/words" }
"""


@pytest.fixture
def workspace(bench: Bench) -> Bench:
    """A workspace of uv with a virtual root and two members, one of which needs the other."""
    empty(bench)
    bench.write("pyproject.toml", '[tool.uv.workspace]\nmembers = ["packages/*"]\n')
    bench.write("uv.lock", WORKSPACE_LOCK)
    for name, needs in (("api", '["words"]'), ("words", "[]")):
        project = f'[project]\nname = "{name}"\nversion = "1.0"\nrequires-python = ">=3.10"\ndependencies = {needs}\n'
        sources = "[tool.uv.sources]\nwords = { workspace = true }\n" if name == "api" else ""
        bench.write(f"packages/{name}/pyproject.toml", project + sources + BUILD_SYSTEM)
        bench.write(f"packages/{name}/backend.py", backend(name))
        bench.write(f"packages/{name}/{name}/__main__.py", "")
    return bench


def test_a_member_of_a_workspace_is_chosen_by_name_or_by_folder(workspace: Bench) -> None:
    contents, _ = build(workspace, "--package", "api")
    assert contents.config["Entrypoint"] == ["python", "-m", "api"]
    assert {f"{SITE}/api/__main__.py", f"{SITE}/words/__main__.py"} <= contents.files.keys()
    elsewhere = workspace.root / "dist/of-folder"
    outcome = workspace.build("--context", "packages/api", "--output", f"oci:{elsewhere}")
    assert outcome.code == 0, outcome.err
    assert read_contents(elsewhere) == contents


def test_a_workspace_without_a_choice_names_its_members(workspace: Bench) -> None:
    assert "hint: Set `--package`" in workspace.refuses("members: `api`, `words`")


def test_every_wheel_that_is_built_is_told_by_its_name_once_for_all_platforms(workspace: Bench, tmp_path: Path) -> None:
    arm = debian_like("3.12.4", platform=Platform("linux", "arm64"))
    LayoutDestination(tmp_path / "both").write(ImageIndex(images=(debian_like("3.12.4"), arm)))
    arguments = ("--base-image", f"oci:{tmp_path / 'both'}", "--platform", "linux/amd64,linux/arm64")
    outcome = workspace.build("--package", "api", *arguments)
    assert outcome.code == 0, outcome.err
    lines = [line.split() for line in outcome.err.splitlines()]
    for verb in ("building", "built"):
        assert sorted(line[1] for line in lines if line[0] == verb) == ["api", "words"], outcome.err


def test_a_file_is_added_from_where_the_command_stands_and_settings_are_the_members_own(workspace: Bench) -> None:
    workspace.write("shared.ini", "shared")
    path = workspace.root / "packages/api/pyproject.toml"
    path.write_text(path.read_text() + '[tool.pycontainer]\nworkdir = "/srv"\nadd = ["own.ini:/etc/own.ini"]\n')
    workspace.write("packages/api/own.ini", "own")
    contents, _ = build(workspace, "--package", "api")
    assert contents.config["WorkingDir"] == "/srv"
    assert contents.files["/etc/own.ini"] == b"own"
    contents, _ = build(workspace, "--package", "api", "--add", "shared.ini:/etc/shared.ini")
    assert contents.files["/etc/shared.ini"] == b"shared"


def test_a_path_with_spaces_and_letters_of_the_world_is_a_path(bench: Bench) -> None:
    bench.root = bench.root.rename(bench.root.with_name("mein Prøjekt ü"))
    bench.lock_forge(WheelForge())
    contents, _ = build(bench)
    assert contents.files["/app/main.py"] == b"print('hello')\n"


def test_a_host_without_a_home_builds_without_a_cache_and_says_so(bench: Bench) -> None:
    bench.lock_forge(WheelForge())
    outcome = bench.build(environment={"HOME": "", "XDG_CACHE_HOME": "", "PYCONTAINER_CACHE_DIR": ""})
    assert outcome.code == 0, outcome.err
    assert "warning: Building without a cache: this user has no home directory" in outcome.err


def test_python_has_nothing_to_warn_about(bench: Bench) -> None:
    bench.lock_forge(WheelForge())
    outcome = bench.run(environment={"PYTHONWARNINGS": "error", "PYTHONDEVMODE": "1"})
    assert outcome.code == 0, outcome.err
    assert "Warning" not in outcome.err


@pytest.mark.network
def test_setup_py_alone_is_a_package_with_dependencies_and_scripts(bench: Bench) -> None:
    empty(bench)
    bench.write(
        "setup.py",
        "from setuptools import setup\nsetup(name='shop', version='3.1', packages=['shop'], python_requires='>=3.8',\n"
        "    install_requires=['idna'], entry_points={'console_scripts': ['shop=shop:main']})\n",
    )
    bench.write("shop/__init__.py", "def main():\n    pass\n")
    outcome = bench.build()
    assert outcome.code == 0, outcome.err
    contents = read_contents(bench.root / "dist/image")
    assert contents.config["Entrypoint"] == ["shop"]
    assert contents.config["Labels"]["org.opencontainers.image.version"] == "3.1"
    assert {f"{SITE}/idna/__init__.py", f"{SITE}/shop/__init__.py", "/app/.venv/bin/shop"} <= contents.files.keys()
