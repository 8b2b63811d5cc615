"""A project that names no base image gets the slim image of the Python it asks for."""

from __future__ import annotations

from pathlib import Path

import pytest

from pycontainer.errors import BaseImageError, ProjectError
from pycontainer.sources.base import default_base_image


@pytest.mark.parametrize(
    ("requires_python", "image"),
    [
        (">=3.11", "python:3.11-slim"),
        (">=3.9,<3.13", "python:3.9-slim"),
        ("~=3.10", "python:3.10-slim"),
        ("==3.12.*", "python:3.12-slim"),
        (">=3.11.5", "python:3.11-slim"),
        (">=3.6", "python:3.9-slim"),
        ("==3.7.*", "python:3.7-slim"),
        (">=3.16", "python:3.16-slim"),
        ("<3.12", "python:3.11-slim"),
        ("!=3.14.*", "python:3.13-slim"),
        (None, "python:3.14-slim"),
        ("", "python:3.14-slim"),
    ],
)
def test_requires_python_decides(tmp_path: Path, requires_python: str | None, image: str) -> None:
    assert default_base_image(tmp_path, requires_python) == image


@pytest.mark.parametrize(
    "pin", ["3.12", "3.12.4\n", "\ufeff3.12\r\n", "# team pin\n3.12", "cpython-3.12.1", "pypy3.10\n3.12.0", "3.12-dev"]
)
def test_a_pin_goes_before_requires_python(tmp_path: Path, pin: str) -> None:
    (tmp_path / ".python-version").write_bytes(pin.encode())
    assert default_base_image(tmp_path, ">=3.9") == "python:3.12-slim"


@pytest.mark.parametrize("pin", [b"", b"system", b"pypy3.10", b"\xff\xfe\x00", b"3.12; rm -rf /"])
def test_a_pin_that_names_no_cpython_is_passed_over(tmp_path: Path, pin: bytes) -> None:
    (tmp_path / ".python-version").write_bytes(pin)
    assert default_base_image(tmp_path, ">=3.11") == "python:3.11-slim"


def test_a_directory_in_place_of_the_pin_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / ".python-version").mkdir()
    assert default_base_image(tmp_path, ">=3.11") == "python:3.11-slim"


def test_a_malformed_specifier_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"malformed: `\^3\.9`"):
        default_base_image(tmp_path, "^3.9")


def test_an_unknown_python_is_named(tmp_path: Path) -> None:
    with pytest.raises(BaseImageError, match="No base image is known for Python `>=4`"):
        default_base_image(tmp_path, ">=4")
