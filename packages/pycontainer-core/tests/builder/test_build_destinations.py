"""What an image is called, and where it goes."""

from __future__ import annotations

import pytest

from pycontainer.builder.destinations import names_of
from pycontainer.config import BuildConfig
from pycontainer.errors import ConfigError


def test_an_image_without_a_tag_is_called_like_its_project() -> None:
    assert [str(name) for name in names_of(BuildConfig(), "My.App")] == ["docker.io/library/my-app:latest"]


def test_tags_are_used_as_they_are() -> None:
    assert [name.familiar for name in names_of(BuildConfig(tag=["a:1", "ghcr.io/b/c:2"]), "x")] == [
        "a:1",
        "ghcr.io/b/c:2",
    ]


def test_a_registry_alone_is_enough_to_push() -> None:
    config = BuildConfig(push=True, registry="ghcr.io/acme")
    assert [str(name) for name in names_of(config, "api")] == ["ghcr.io/acme/api:latest"]


def test_a_push_to_nowhere_is_refused() -> None:
    with pytest.raises(ConfigError, match="A push needs a name"):
        names_of(BuildConfig(push=True), "api")
