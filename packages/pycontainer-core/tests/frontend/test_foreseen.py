"""No error reaches a user as a traceback, and none tells what it must not."""

from __future__ import annotations

import pytest

from pycontainer.errors import ConfigError, PyContainerError, StoreError
from pycontainer.frontend.errors import foreseen


def raised(error: Exception) -> Exception:
    with pytest.raises(type(error)) as caught:
        raise error
    return caught.value


def test_an_error_of_ours_stays_what_it_is() -> None:
    error = ConfigError("2 options are wrong")

    assert foreseen(error) is error


def test_what_the_system_says_is_told_with_its_path() -> None:
    told = foreseen(raised(PermissionError(13, "Permission denied", "/cache/layers")))

    assert isinstance(told, StoreError)
    assert (told.message, told.facts) == ("Permission denied", ("path: /cache/layers",))


@pytest.mark.parametrize("error", [ValueError("https://user:s3cr3t@host"), OSError("s3cr3t"), KeyError("s3cr3t")])
def test_the_text_of_a_foreign_error_is_not_shown(error: Exception) -> None:
    told = foreseen(raised(error))

    assert type(told) is PyContainerError
    assert "s3cr3t" not in f"{told} {told.hint}"
    assert f"`{type(error).__name__}`" in told.message
    assert told.facts[0].startswith("at: test_foreseen.py, line ")
    assert told.__cause__ is error, "whoever debugs finds it"


def test_an_error_that_was_never_raised_has_no_place() -> None:
    assert foreseen(ValueError("x")).facts == ()
