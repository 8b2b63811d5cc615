"""Images with operating system packages do their work, as a user who is not root, in Docker and in Podman."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from real.checks import check
from real.command import Pycontainer
from real.engines import DockerLike
from real.os_requests import REQUESTS, SONAMES, UNCONFIGURED
from real.registry import Registry
from real.samples import PROJECTS, SAMPLES, uv

ARM = "linux/arm64"
SUITES = ("bookworm", "trixie")
ENGINES = ("docker", "podman")
NOBODY = 65532
# Modules of the standard library that cannot be imported, and why: these and no others.
_EVERYWHERE = {
    "_gdbm": "packed apart, as `python3-gdbm`",
    "_overlapped": "of Windows",
    "_scproxy": "of macOS",
    "_tkinter": "packed apart, as `python3-tk`",
    "_winapi": "of Windows",
    "asyncio.windows_events": "of Windows",
    "asyncio.windows_utils": "of Windows",
    "dbm.gnu": "packed apart, as `python3-gdbm`",
    "encodings.mbcs": "of Windows",
    "encodings.oem": "of Windows",
    "ensurepip": "packed apart, as `python3-venv`",
    "idlelib": "packed apart, as `idle`",
    "msvcrt": "of Windows",
    "multiprocessing.popen_spawn_win32": "of Windows",
    "nt": "of Windows",
    "tkinter": "packed apart, as `python3-tk`",
    "turtle": "packed apart, as `python3-tk`",
    "turtledemo": "packed apart, as `python3-examples`",
    "winreg": "of Windows",
    "winsound": "of Windows",
}
ABSENT = {
    "bookworm": {
        **_EVERYWHERE,
        "_msi": "of Windows",
        "lib2to3": "packed apart, as `python3-lib2to3`",
        "msilib": "of Windows",
    },
    "trixie": {
        **_EVERYWHERE,
        "_ios_support": "of iOS",
        "_pyrepl.windows_console": "of Windows",
        "_wmi": "of Windows",
    },
}
Build = Callable[..., str]


@pytest.fixture(scope="module")
def probes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of programs that tell what an image can do."""
    return Path(shutil.copytree(PROJECTS / "probes", tmp_path_factory.mktemp("probes") / "probes"))


@pytest.fixture(scope="module")
def build(pycontainer: Pycontainer, registry: Registry, probes: Path) -> Build:
    """Build an image of the probes and push it, once; give its reference."""
    built: set[str] = set()

    def build_once(name: str, *options: str) -> str:
        reference = registry.reference(f"{name}:1")
        if name not in built:
            python = ("--entrypoint", "python3", "--tag", reference, "--push")
            pycontainer.build(probes, *python, *options)
            built.add(name)
        return reference

    return build_once


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest, start_engine: Callable[[str], DockerLike]) -> DockerLike:
    """Each of the two engines that people have."""
    return start_engine(request.param)


def ask(engine: DockerLike, reference: str, *command: str, platform: str | None = None) -> dict[str, Any]:
    """Pull an image, run a probe in it, and give what it tells."""
    engine.pull(reference, platform=platform)
    told: dict[str, Any] = json.loads(engine.run(reference, *command, platform=platform).stdout)
    engine.command("rmi", "--force", reference)  # these images are large, and not all of them have to be there at once
    return told


def packages(suite: str, batch: str) -> list[str]:
    asked = [f"--os-package={name}" for name in REQUESTS[suite][batch]]
    return [*asked, *(f"--os-unconfigured={name}" for name in UNCONFIGURED[suite])]


# Half a gigabyte, as the wheels below: one engine is enough for what is no engine's.
def test_programs_for_media_work(build: Build, docker: DockerLike, base_image: str) -> None:
    reference = build("media", "--base-image", base_image, *packages("bookworm", "media"))

    told = ask(docker, reference, "media.py")

    assert told.pop("uid") == NOBODY
    assert told.pop("size") > 1000
    assert {name: said for name, (status, said) in told.items() if status} == {}
    assert told["ffprobe"][1] == "h264,25"
    assert told["fc-match"][1] == "DejaVu Sans"
    assert told["tesseract"][1] == "pycontainer"
    assert told["pdftotext"][1] == "pycontainer"
    assert told["png to jpeg"][1] == "JPEG"
    assert told["gdalinfo"][1] == "Driver: GTiff/GeoTIFF"


def test_tools_work(build: Build, engine: DockerLike, base_image: str) -> None:
    reference = build("tools", "--base-image", base_image, *packages("bookworm", "tools"))

    told = ask(engine, reference, "tools.py")

    assert told.pop("uid") == NOBODY
    assert {name: said for name, (status, said) in told.items() if status} == {}
    said = {name: words for name, (_, words) in told.items()}
    assert (said["git"], said["gpg"], said["jq"], said["ps"]) == ("one", "1", "[1,2]", "1")
    assert (said["less"], said["rsync"], said["sqlite3"], said["unzip"], said["xz"]) == (
        "paged",
        "b",
        "42",
        "a",
        "packed",
    )


@pytest.fixture(scope="module")
def archive(pycontainer: Pycontainer, locked: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The FastAPI sample on a composed base, as a file that engines load."""
    file = tmp_path_factory.mktemp("archive") / "first.tar"
    output = f"docker-archive:{file}"
    pycontainer.build(locked("fastapi"), "--base-image", "deb:bookworm", "--tag", "first:1", "--output", output)
    return file


def test_a_project_is_built_and_served_without_any_registry(archive: Path, engine: DockerLike) -> None:
    engine.command("load", "--input", str(archive))

    check(SAMPLES["fastapi"], engine, "first:1")


@pytest.mark.parametrize("suite", SUITES)
def test_every_module_of_the_standard_library_imports_on_a_composed_base(
    suite: str, build: Build, engine: DockerLike
) -> None:
    reference = build(f"composed-{suite}", "--base-image", f"deb:{suite}")

    told = ask(engine, reference, "standard_library.py")

    assert told["failures"].keys() == ABSENT[suite].keys()
    assert told["tried"] > 500


@pytest.mark.parametrize("suite", SUITES)
def test_the_standard_library_finds_what_it_looks_for_on_a_composed_base(
    suite: str, build: Build, engine: DockerLike
) -> None:
    reference = build(f"composed-{suite}", "--base-image", f"deb:{suite}")

    told = ask(engine, reference, "surroundings.py")

    check_surroundings(told)


def check_surroundings(told: dict[str, Any]) -> None:
    assert (told["uid"], told["user"], told["home"]) == (NOBODY, "nonroot", "/home/nonroot")
    assert {name.lower() for name in told["encodings"]} == {"utf-8"}
    assert told["child"] == "käse\n"
    assert told["zones"] == {
        "Europe/Berlin": 2,
        "America/New_York": -4,
        "Asia/Kathmandu": 5.75,
        "Etc/UTC": 0,
        "UTC": 0,
    }
    assert told["many_zones"] > 400
    assert told["authorities"] > 100
    assert all(told["libraries"].values()), told["libraries"]
    assert (told["sqlite"], told["c++"]) == (42, True)
    assert (told["localhost"], told["https"], told["tcp"]) == ("127.0.0.1", 443, 6)
    assert told["temporary"] == "/tmp"


@pytest.mark.usefixtures("arm64")
def test_a_composed_base_for_arm64_made_here_works_on_arm64(build: Build, podman: DockerLike) -> None:
    reference = build(
        "composed-arm64", "--base-image", "deb:bookworm", "--platform", ARM, "--os-package", "libpq5,libgomp1"
    )

    check_surroundings(ask(podman, reference, "surroundings.py", platform=ARM))
    told = ask(podman, reference, "libraries.py", "libpq.so.5", "libgomp.so.1", platform=ARM)
    assert told["failures"] == {}


@pytest.mark.parametrize("base", ["with dpkg", "composed"])
def test_every_library_loads(base: str, build: Build, engine: DockerLike, base_image: str) -> None:
    image = base_image if base == "with dpkg" else "deb:bookworm"
    reference = build(f"libraries-{base.replace(' ', '-')}", "--base-image", image, *packages("bookworm", "libraries"))

    told = ask(engine, reference, "libraries.py", *SONAMES.values())

    assert told == {"uid": NOBODY, "failures": {}}


@pytest.mark.parametrize(("suite", "engine"), list(zip(SUITES, ENGINES, strict=True)), indirect=["engine"])
def test_wheels_work_with_the_packages_that_the_preflight_names(
    suite: str, engine: DockerLike, pycontainer: Pycontainer, registry: Registry, tmp_path: Path
) -> None:
    project = Path(shutil.copytree(PROJECTS / "native", tmp_path / "native"))
    uv("lock", cwd=project)
    reference = registry.reference(f"native-{suite}:1")
    options = ("--base-image", f"deb:{suite}", "--tag", reference, "--push")

    refused = pycontainer.build(project, *options, status=1)

    [hint] = re.findall(r"^hint: Add (.*?), which likely ", refused.stderr, re.MULTILINE)
    named = re.findall(r"`([^`]+)`", hint)
    assert {"libgl1", "libgomp1"} <= set(named)
    # psycopg looks for its library while it runs: no file of a wheel tells.
    pycontainer.build(project, *options, "--os-package", ",".join([*named, "libpq5"]))
    engine.pull(reference)
    said = engine.run(reference).stdout.splitlines()
    engine.command("rmi", "--force", reference)
    version = {"bookworm": "15", "trixie": "17"}[suite]
    assert said == ["opencv (64, 64)", "lightgbm True", f"libpq {version} python", "libpq connects", f"uid {NOBODY}"]
