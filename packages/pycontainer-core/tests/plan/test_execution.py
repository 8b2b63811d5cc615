"""The image's execution parameters: the base's, the application's, the options', in this order."""

from __future__ import annotations

from typing import Any

from pycontainer.config import BuildConfig
from pycontainer.oci import ContainerConfig
from pycontainer.plan.execution import Layout, execution_parameters, image_annotations
from pycontainer.project import ProjectMetadata, Start

BASE = ContainerConfig(
    env=("PATH=/usr/local/bin:/usr/bin", "LANG=C.UTF-8", "LOG=base"),
    labels={"vendor": "them", "org.opencontainers.image.title": "python"},
    exposed_ports={"80/tcp": {}},
    entrypoint=("/entry.sh",),
    cmd=("python3",),
)
LAYOUT = Layout(workdir="/app", environment="/app/.venv", python_path=("/app/src", "/app"))
START = Start(command=("uvicorn", "main:app"), ports=(8000,), env={"LOG": "start", "MODE": "x"})


def parameters(**options: Any) -> dict[str, Any]:
    return execution_parameters(
        BASE, BuildConfig(**options), layout=LAYOUT, start=START, user="65532:65532", labels={"ours": "1"}
    )


def test_the_environment_comes_first_on_the_path_and_options_have_the_last_word() -> None:
    env = dict(item.split("=", 1) for item in parameters(env={"LOG": "options", "NEW": "a=b"})["env"])
    assert env == {
        "PATH": "/app/.venv/bin:/usr/local/bin:/usr/bin",
        "LANG": "C.UTF-8",
        "LOG": "options",
        "VIRTUAL_ENV": "/app/.venv",
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": "/app/src:/app",
        "MODE": "x",
        "NEW": "a=b",
    }


def test_the_bases_entry_point_and_command_give_way() -> None:
    found = parameters()
    assert (found["entrypoint"], found["cmd"]) == (("uvicorn", "main:app"), ())
    assert parameters(cmd=["--reload"])["cmd"] == ("--reload",)


def test_labels_that_describe_the_base_are_not_inherited() -> None:
    assert parameters(labels={"mine": "2"})["labels"] == {"vendor": "them", "ours": "1", "mine": "2"}


def test_ports_of_the_options_replace_the_frameworks() -> None:
    assert parameters()["exposed_ports"] == {"80/tcp": {}, "8000/tcp": {}}
    assert parameters(ports=[9000, "53/udp"])["exposed_ports"] == {"80/tcp": {}, "9000/tcp": {}, "53/udp": {}}


def test_a_stop_signal_is_set_only_when_asked_for() -> None:
    assert "stop_signal" not in parameters()
    assert parameters(stop_signal="SIGINT")["stop_signal"] == "SIGINT"


def test_annotations_come_from_the_metadata() -> None:
    metadata = ProjectMetadata(
        name="shop",
        version="1.2",
        description="Sells\nthings",
        license="MIT",
        authors=("A <a@b.example>", "C"),
        urls={"Homepage": "https://shop.example", "Source Code": "https://git.example/shop"},
    )
    found = image_annotations(metadata, source={}, base={"org.opencontainers.image.base.name": "b"}, created=None)
    assert found == {
        "org.opencontainers.image.title": "shop",
        "org.opencontainers.image.version": "1.2",
        "org.opencontainers.image.description": "Sells things",
        "org.opencontainers.image.licenses": "MIT",
        "org.opencontainers.image.authors": "A <a@b.example>, C",
        "org.opencontainers.image.url": "https://shop.example",
        "org.opencontainers.image.source": "https://git.example/shop",
        "org.opencontainers.image.base.name": "b",
    }
