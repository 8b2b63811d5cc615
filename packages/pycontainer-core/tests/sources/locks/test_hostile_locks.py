"""Locks that were made to harm: each is read or refused in time, with the one error that a user can read."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycontainer.errors import LockError
from pycontainer.oci import Platform
from pycontainer.sources.locks import Choice, SourcePolicy, choose_wheels, read_lock
from pycontainer.sources.locks.document import parse_toml
from pycontainer.sources.target import Libc, PythonVersion, Target

TARGET = Target(platform=Platform("linux", "amd64"), python=PythonVersion(3, 12, 4), libc=Libc("glibc", 2, 36))
NAMES = ["uv.lock", "pylock.toml", "poetry.lock", "pdm.lock", "requirements.txt"]
BASE = {
    "uv.lock": 'version = 1\n[[package]]\nname = "app"\nsource = { virtual = "." }\n',
    "pylock.toml": 'lock-version = "1.0"\n',
    "poetry.lock": '[metadata]\nlock-version = "2.1"\n',
    "pdm.lock": '[metadata]\nlock_version = "4.5.0"\nstrategy = ["inherit_metadata"]\n',
    "requirements.txt": "",
}


def read_and_choose(path: Path) -> None:
    choose_wheels(read_lock(path).select(TARGET, Choice()), TARGET, SourcePolicy())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "text",
    [
        "x = " + "[" * 100_000,
        "x = " + "[" * 400 + "]" * 400,
        "x = " + "{ a = " * 50_000,
        "a." * 100_000 + "b = 1",
        ("a." * 63 + "b = 1\n") + "\n".join("a." * 62 + f"c{number} = 1" for number in range(500)),
        "[" + "a." * 100_000 + "b]",
        '"a" . ' * 50_000 + "b = 1",
        'x = { "a"' + ' . "a"' * 50_000 + " = 1 }",
        "x = " + "9" * 1_000_000,
        'x = "' + "\\u0041" * 200_000 + '"',
        'x = "' + "a" * 1_000_000 + '"',
        "'" * 1_000_000,
        "#" * 1_000_000,
        "\n" * 1_000_000,
        "a" * 1_000_000,
        "a-" * 500_000 + ".",
        "\\\n" * 100_000,
        "\x00" * 1000,
        "wheels = [\n" + "    { ,\n" * 50_000 + "]\n",
        "[[package]]\n" * 50_000,
    ],
    ids=lambda text: ascii(text[:12]),
)
def test_any_text_is_read_or_refused_in_time(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(BASE[name] + text)
    start = time.process_time()
    try:
        read_and_choose(path)
    except LockError as error:
        assert len(str(error)) < 5_000  # noqa: PT017 - either outcome is right
    assert time.process_time() - start < 4  # the promise is two seconds, on a machine that does nothing else


@pytest.mark.parametrize("name", NAMES)
def test_fifty_megabytes_are_refused_before_they_are_parsed(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with path.open("wb") as file:
        file.truncate(50_000_000)
    start = time.process_time()
    with pytest.raises(LockError, match="too large"):
        read_lock(path)
    assert time.process_time() - start < 1


@pytest.mark.parametrize("name", NAMES)
def test_bytes_that_are_no_text_are_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"\xff\xfe\x00a")
    with pytest.raises(LockError, match="not UTF-8"):
        read_lock(path)


@pytest.mark.parametrize("name", NAMES)
def test_a_directory_or_nothing_in_its_place_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(LockError, match="cannot be read"):
        read_lock(tmp_path / name)
    (tmp_path / name).mkdir()
    with pytest.raises(LockError, match="cannot be read"):
        read_lock(tmp_path / name)


WRONG = ["1", '"text"', "[1]", "[[]]", "{ a = 1 }", "1.5", "true", "2020-01-01"]


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("uv.lock", ["package", "manifest", "conflicts", "requires-python", "supported-markers", "revision"]),
        ("pylock.toml", ["packages", "extras", "environments", "default-groups", "requires-python"]),
        ("poetry.lock", ["package", "extras"]),
        ("pdm.lock", ["package"]),
    ],
)
@pytest.mark.parametrize("value", WRONG)
def test_values_of_the_wrong_type_are_refused(tmp_path: Path, name: str, keys: list[str], value: str) -> None:
    for key in keys:
        path = tmp_path / name
        path.write_text(f"{key} = {value}\n" + BASE[name])
        with contextlib.suppress(LockError):
            read_and_choose(path)


@pytest.mark.parametrize("field", ["name", "version", "source", "dependencies", "wheels", "sdist", "metadata"])
@pytest.mark.parametrize("value", WRONG)
def test_fields_of_a_package_of_the_wrong_type_are_refused(tmp_path: Path, field: str, value: str) -> None:
    fields = {"name": '"a"', "version": '"1"', "source": '{ registry = "https://index.example" }', field: value}
    package = "[[package]]\n" + "".join(f"{key} = {each}\n" for key, each in fields.items())
    path = tmp_path / "uv.lock"
    path.write_text(BASE["uv.lock"] + 'dependencies = [{ name = "a" }]\n' + package)
    try:
        read_and_choose(path)
    except LockError as error:
        assert str(error)  # noqa: PT017 - either outcome is right, and nothing else


SECRET = "hunter2"
ADDRESS = f"https://user:{SECRET}@files.example/"


PACKAGE = 'dependencies = [{{ name = "a" }}]\n[[package]]\nname = "a"\nversion = "1"\n'


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("uv.lock", PACKAGE + 'source = {{ registry = "{0}" }}\nwheels = [{{ url = "{0}b-1-py3-none-any.whl" }}]\n'),
        ("uv.lock", PACKAGE + 'source = {{ git = "{0}r#main" }}\n'),
        ("uv.lock", PACKAGE + 'source = {{ path = "{0}x.whl" }}\nwheels = [{{ filename = "x.whl" }}]\n'),
        ("pylock.toml", '[[packages]]\nname = "a"\nwheels = [{{ url = "{0}é.whl" }}]\n'),
        ("pylock.toml", '[[packages]]\nname = "a"\narchive = {{ url = "{0}%2e%2e" }}\n'),
        ("requirements.txt", "a @ {0}\n"),
        ("requirements.txt", "--index-url {0} oops\n"),
        ("requirements.txt", "-r {0}x.txt\n"),
        ("requirements.txt", "{0}x.zip\n"),
        ("requirements.txt", "a @ {0} --hash=sha256:00\n"),
        ("requirements.txt", "--{0}\n"),
    ],
)
def test_no_error_shows_a_password(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(BASE[name] + text.format(ADDRESS))
    with pytest.raises(LockError) as caught:
        read_and_choose(path)
    shown: BaseException | None = caught.value
    while shown is not None:
        assert SECRET not in f"{shown} {shown!r}"
        shown = shown.__cause__


@pytest.mark.parametrize(
    "place", ["../../etc", "/etc", "sub/../../..", "file:///etc", "C:\\\\x\\u0000", "https://files.example/x"]
)
def test_a_directory_elsewhere_is_refused(tmp_path: Path, place: str) -> None:
    path = tmp_path / "uv.lock"
    path.write_text(
        BASE["uv.lock"]
        + f'dependencies = [{{ name = "a" }}]\n[[package]]\nname = "a"\nsource = {{ directory = "{place}" }}\n'
    )
    with pytest.raises(LockError, match=r"outside the project|is not a path"):
        read_and_choose(path)


@given(st.binary(max_size=300))
def test_any_bytes_are_toml_or_refused(content: bytes) -> None:
    try:
        parse_toml(content, Path("uv.lock"))
    except LockError as error:
        assert "uv.lock" in str(error)  # noqa: PT017 - either outcome is right
