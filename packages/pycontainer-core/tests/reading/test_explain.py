from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pycontainer.config import BuildConfig
from pycontainer.errors import ConfigError
from pycontainer.image import Image
from pycontainer.reading import OpenedImage
from pycontainer.reading.explain import (
    ChainEntry,
    FileExplanation,
    ImageContents,
    PackageExplanation,
    SystemPackageExplanation,
    explain,
    read_image,
)
from pycontainer.reading.lock_view import lock_view
from pycontainer.testing.images import File, Link, debian_like, forge_layer

SITE = "/app/.venv/lib/python3.12/site-packages"


@pytest.fixture
def contents(opened: Callable[[Image], OpenedImage], distribution: Callable[..., list[File]]) -> ImageContents:
    """An image whose application needs `web`, which needs `core`, and with its extra `fast` also `loop`."""
    web = [
        "Requires-Dist: core>=1",
        'Requires-Dist: loop; extra == "fast"',
        'Requires-Dist: win; sys_platform == "win32"',
    ]
    libraries = {"loop.libs/libuv-1a2b.so.1": bytes(300), "loop/_vendor/toml-0.10.dist-info/METADATA": b"Name: toml\n"}
    image = debian_like().append(
        [
            forge_layer(
                [
                    *distribution("web", "3.0", metadata=web),
                    *distribution("core", "1.1", metadata=["License-Expression: MIT"]),
                    *distribution("loop", "0.5", files=libraries),
                    File("var/lib/dpkg/info/libc6.list", b"/.\n/lib/x86_64-linux-gnu/libc.so.6\n"),
                ],
                title="packages",
            ),
            forge_layer(
                [File("app/main.py", b"import web\n"), File("etc/passwd", b"root\n"), Link("app/old", "main.py")]
            ),
        ]
    )
    return read_image(opened(image.with_config(env=("VIRTUAL_ENV=/app/.venv",), working_dir="/app")))


def test_a_package_is_explained_by_its_metadata(contents: ImageContents) -> None:
    found = explain(contents, "Core")
    assert isinstance(found, PackageExplanation)
    assert (found.version, found.license, found.prefix, found.files) == ("1.1", "MIT", "/app/.venv", 3)
    assert found.layer is not None
    assert (found.layer.number, found.layer.title) == (3, "packages")
    assert found.chains == (ChainEntry(root="web", names=("web", "core")),)
    assert found.needed_by == ("web",)
    loop = explain(contents, "loop")
    assert isinstance(loop, PackageExplanation)
    assert loop.chains == (ChainEntry(root="web", names=("web[fast]", "loop")),)
    assert [(each.path, each.size) for each in loop.libraries] == [(f"{SITE}/loop.libs/libuv-1a2b.so.1", 300)]
    assert loop.vendored == ("toml 0.10",)


def test_a_file_leads_to_its_layer_and_package(contents: ImageContents) -> None:
    found = explain(contents, f"{SITE}/core/__init__.py")
    assert isinstance(found, FileExplanation)
    assert (found.type, found.size, found.mode, found.hides) == ("file", 6, "0644", ())
    assert found.layer is not None
    assert found.layer.number == 3
    assert found.package is not None
    assert found.package.name == "core"
    own = explain(contents, "app/main.py")
    assert isinstance(own, FileExplanation)
    assert (own.path, own.package, own.os_package) == ("/app/main.py", None, None)
    assert explain(contents, "main.py/") == own, "below the working directory"
    link = explain(contents, "/app/old")
    assert isinstance(link, FileExplanation)
    assert (link.type, link.target) == ("link", "main.py")


def test_a_file_that_hides_another_tells_which(contents: ImageContents) -> None:
    found = explain(contents, "/etc/passwd")
    assert isinstance(found, FileExplanation)
    assert (found.layer and found.layer.number, found.hides) == (4, (1,))


@pytest.mark.parametrize("path", ["/lib/x86_64-linux-gnu/libc.so.6", "/usr/lib/x86_64-linux-gnu/libc.so.6"])
def test_a_file_of_the_system_leads_to_its_package_by_either_name(path: str, contents: ImageContents) -> None:
    found = explain(contents, path)
    assert isinstance(found, FileExplanation)
    assert found.path == "/usr/lib/x86_64-linux-gnu/libc.so.6"
    assert found.os_package is not None
    assert found.os_package.name == "libc6"
    system = explain(contents, "libc6")
    assert isinstance(system, SystemPackageExplanation)
    assert system.layer is not None
    assert system.layer.number == 3, "the layer that has the list of its files"


@pytest.mark.parametrize(
    ("subject", "told"), [("corr", "`core`"), ("/nowhere", "no `/nowhere`"), ("/etc/none/x", "no")]
)
def test_what_is_not_there_is_told(subject: str, told: str, contents: ImageContents) -> None:
    with pytest.raises(ConfigError) as caught:
        explain(contents, subject)
    assert told in f"{caught.value} {caught.value.hint}"


def test_a_lock_tells_of_packages_that_it_pins_at_the_same_version(contents: ImageContents, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "app"\n[dependency-groups]\nweb = ["web[fast]"]\n')
    (tmp_path / "pylock.toml").write_text(
        'lock-version = "1.0"\n'
        '[[packages]]\nname = "web"\nversion = "3.0"\ndependencies = [{ name = "core" }]\n'
        '[[packages]]\nname = "core"\nversion = "1.1"\n'
        '[[packages]]\nname = "loop"\nversion = "9"\n'
    )
    lock = lock_view(BuildConfig(context_path=tmp_path), chosen=False)
    found = explain(contents, "core", lock=lock)
    assert isinstance(found, PackageExplanation)
    assert found.lock == "pylock.toml"
    assert found.chains == (ChainEntry(root="group `web`", names=("web", "core")),)
    other = explain(contents, "loop", lock=lock)
    assert isinstance(other, PackageExplanation)
    assert other.lock is None
