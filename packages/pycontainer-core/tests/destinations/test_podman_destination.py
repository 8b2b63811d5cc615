"""Podman gets the image that was built, under the names that `podman build` would give, or one clear error."""

from __future__ import annotations

import io
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pycontainer.destinations.podman import PodmanDestination, podman_name
from pycontainer.errors import IntegrityError, ToolError
from pycontainer.events import Event, Warned
from pycontainer.image import ImageIndex
from pycontainer.oci import Platform, Reference
from pycontainer.testing.images import File, debian_like, forge_image, forge_layer
from pycontainer.value import replace

IMAGE = debian_like()
NAMES = [Reference.parse(text) for text in ("myapp:1", "ghcr.io/acme/app:2", "acme/app")]
posix = pytest.mark.skipif(os.name != "posix", reason="the stand-ins for Podman are shell scripts")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("myapp", "localhost/myapp:latest"),
        ("acme/app:1", "docker.io/acme/app:1"),
        ("ghcr.io/acme/app:2", "ghcr.io/acme/app:2"),
        ("localhost:5000/app:3", "localhost:5000/app:3"),
    ],
)
def test_names_are_those_that_podman_would_give(name: str, expected: str) -> None:
    assert podman_name(Reference.parse(name)) == expected


def test_a_missing_podman_is_named() -> None:
    with pytest.raises(ToolError, match="`no-such-podman` cannot be started") as caught:
        PodmanDestination(NAMES, command=["no-such-podman"]).write(IMAGE)
    assert "oci-archive" in str(caught.value.hint)


@posix
@pytest.mark.parametrize("script", ["echo no space >&2; exit 125", "cat >/dev/null; echo no space >&2; exit 125"])
def test_what_podman_says_is_told(script: str) -> None:
    large = forge_image([forge_layer([File("a", os.urandom(1 << 20))])])
    with pytest.raises(ToolError, match="`podman load` failed") as caught:
        PodmanDestination(command=["sh", "-c", script]).write(large)
    assert caught.value.facts == ("exit code: 125", "no space")


@posix
def test_much_to_say_does_not_block_it() -> None:
    noisy = (
        f'{sys.executable} -c \'import sys; sys.stdout.write("x" * 10**6); sys.stderr.write("y\\n" * 10**5)\'; exit 1'
    )
    with pytest.raises(ToolError, match="failed"):
        PodmanDestination(command=["sh", "-c", noisy]).write(IMAGE)


@posix
def test_a_layer_that_fails_stops_podman_before_it_believes_the_archive(tmp_path: Path) -> None:
    class Broken:
        descriptor = IMAGE.layers[0].descriptor

        def open(self) -> io.BytesIO:
            raise IntegrityError("damaged")

    layer = replace(IMAGE.layers[0], blob=Broken())
    script = f"cat >/dev/null; touch {shlex.quote(str(tmp_path / 'believed'))}"
    with pytest.raises(IntegrityError, match="damaged"):
        PodmanDestination(command=["sh", "-c", script]).write(forge_image([layer]))
    assert not (tmp_path / "believed").exists()


@posix
def test_a_layer_that_fails_is_told_even_where_podman_has_ended_before(tmp_path: Path) -> None:
    class Broken:
        descriptor = IMAGE.layers[0].descriptor

        def open(self) -> io.BytesIO:
            os.close(os.open(tmp_path / "deaf", os.O_WRONLY))  # waits for the other side
            raise IntegrityError("damaged")

    os.mkfifo(tmp_path / "deaf")
    layer = replace(IMAGE.layers[0], blob=Broken())
    script = f"exec <{shlex.quote(str(tmp_path / 'deaf'))}; cat"
    with pytest.raises(IntegrityError, match="damaged"):
        PodmanDestination(command=["sh", "-c", script]).write(forge_image([layer]))


@posix
def test_another_pipe_that_breaks_is_not_taken_for_podmans(tmp_path: Path) -> None:
    class Told:
        descriptor = IMAGE.layers[0].descriptor

        def open(self) -> io.BytesIO:
            raise BrokenPipeError  # as of whoever reads what is said while the layer is made

    layer = replace(IMAGE.layers[0], blob=Told())
    script = f"cat >/dev/null; touch {shlex.quote(str(tmp_path / 'believed'))}"
    with pytest.raises(BrokenPipeError):
        PodmanDestination(command=["sh", "-c", script]).write(forge_image([layer]))
    assert not (tmp_path / "believed").exists()


@pytest.fixture
def podman(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A real Podman with storage of its own."""
    if shutil.which("podman") is None:
        pytest.skip("needs podman")
    configuration = tmp_path / "storage.conf"
    configuration.write_text(
        f'[storage]\ndriver = "vfs"\ngraphroot = "{tmp_path}/graph"\nrunroot = "{tmp_path}/run"\n', encoding="utf-8"
    )
    monkeypatch.setenv("CONTAINERS_STORAGE_CONF", str(configuration))
    yield tmp_path
    subprocess.run(["podman", "rmi", "--all", "--force"], check=False, capture_output=True)


def digests(name: str) -> list[str]:
    command = ["podman", "image", "inspect", "--format", "{{.Id}} {{.Digest}}", name]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()


def test_podman_has_the_image_under_every_name_with_its_digest(podman: Path) -> None:
    del podman
    written = PodmanDestination(NAMES).write(IMAGE)
    image_id = IMAGE.config_blob.descriptor.digest.hex
    assert written.reference == f"podman:{image_id}"
    for name in ("myapp:1", "localhost/myapp:1", "ghcr.io/acme/app:2", "docker.io/acme/app:latest"):
        assert digests(name) == [image_id, str(IMAGE.digest)]


def test_podman_takes_an_image_without_a_name_and_its_platform_of_an_index(podman: Path) -> None:
    del podman
    own = subprocess.run(
        ["podman", "info", "--format", "{{.Host.OS}}/{{.Host.Arch}}"], check=True, capture_output=True, text=True
    ).stdout.strip()
    mine, other = debian_like(platform=Platform.parse(own)), debian_like(platform=Platform("linux", "s390x"))
    events: list[Event] = []
    written = PodmanDestination(emit=events.append).write(ImageIndex(images=(other, mine)))
    assert written.digest == mine.digest
    assert digests(mine.config_blob.descriptor.digest.hex)[1] == str(mine.digest)
    assert [event.facts for event in events if isinstance(event, Warned)] == [("left out: linux/s390x",)]
