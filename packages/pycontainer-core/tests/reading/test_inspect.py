from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from pycontainer.blobs.blob import BytesBlob
from pycontainer.builder import ImageBuilder
from pycontainer.config import BuildConfig
from pycontainer.destinations.layout import LayoutDestination
from pycontainer.errors import DocumentError, IntegrityError, PyContainerError
from pycontainer.image import Image
from pycontainer.oci import ContainerConfig, Digest, History, media_types
from pycontainer.reading import ImageReader, OpenedImage, inspect
from pycontainer.testing.images import (
    File,
    Folder,
    Gone,
    Link,
    Opaque,
    alpine_like,
    debian_like,
    distroless_like,
    forge_image,
    forge_layer,
    forge_tar,
    layer_of_tar,
)
from pycontainer.testing.index_server import serving
from pycontainer.testing.wheels import WheelForge
from pycontainer.transports.registry import RegistryClient
from pycontainer.value import replace

Open = Callable[[Image], OpenedImage]
Distribution = Callable[..., list[File]]


def test_packages_of_any_image_are_found_by_what_installers_leave(
    reader: ImageReader, opened: Open, distribution: Distribution
) -> None:
    base_site = "usr/local/lib/python3.12/site-packages"
    image = debian_like().append(
        [
            forge_layer(distribution("pip", "24.0", site=base_site)),
            forge_layer(
                [
                    *distribution(
                        "Demo_App", "2.0", metadata=["License-Expression: MIT"], files={"demo.dat": bytes(500)}
                    ),
                    *distribution("inner", site="app/.venv/lib/python3.12/site-packages/Demo_App/_vendor"),
                    File("usr/lib/python3/dist-packages/old-1.5.egg-info", b"Name: old\nVersion: 1.5\n"),
                ]
            ),
        ]
    )
    found = inspect(reader, opened(image.with_config(env=("VIRTUAL_ENV=/app/.venv",))))
    packages = [(each.name, each.version, each.license, each.layer, each.prefix) for each in found.packages]
    assert packages == [
        ("demo-app", "2.0", "MIT", 4, "/app/.venv"),
        ("old", "1.5", None, 4, "/usr"),
        ("pip", "24.0", None, 3, "/usr/local"),
    ]
    assert found.packages[0].files == 4
    assert found.packages[0].size > 500
    assert [each.name for each in found.os_packages] == ["libc6"]


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (debian_like(), [("libc6", "2.36-9+deb12u4")]),
        (alpine_like(), [("musl", "1.2.5-r0"), ("python3", "3.12.4-r1")]),
        (distroless_like(), [("libc6", "2.36-9+deb12u7"), ("libpython3.11-minimal", "3.11.2-6+deb12u2")]),
    ],
    ids=["dpkg", "apk", "status.d"],
)
def test_packages_of_the_operating_system_are_read_from_its_database(
    image: Image, expected: list[tuple[str, str]], reader: ImageReader, opened: Open
) -> None:
    found = inspect(reader, opened(image))
    assert [(each.name, each.version) for each in found.os_packages] == expected
    assert {each.layer for each in found.os_packages} == {1}


def test_what_higher_layers_hide_is_not_there_and_is_weighed(
    reader: ImageReader, opened: Open, distribution: Distribution
) -> None:
    image = forge_image(
        [
            forge_layer([*distribution("gone"), *distribution("kept"), Folder("data"), File("data/a", bytes(1000))]),
            forge_layer([File("data/a", bytes(10)), Gone("app/.venv/lib/python3.12/site-packages/gone-1.0.dist-info")]),
            forge_layer([Opaque("data"), File("data/b", bytes(5))]),
        ]
    )
    found = inspect(reader, opened(image))
    assert [each.name for each in found.packages] == ["kept"]
    assert found.unpacked_size == sum(each.unpacked_size or 0 for each in found.layers)
    assert (found.replaced_size or 0) > 1000 + 10


@pytest.fixture
def built(tmp_path: Path) -> tuple[Path, Path]:
    """A cache, and the layout of an image that was built with it."""
    root, base = tmp_path / "project", tmp_path / "base"
    root.mkdir()
    LayoutDestination(base).write(debian_like())
    (root / "main.py").write_text("print('hello')\n")
    (root / "pyproject.toml").write_text('[project]\nname = "app"\nversion = "1.0"\n')
    locked = ['lock-version = "1.0"\ncreated-by = "test"\n']
    with serving() as index:
        for name in ("one", "two"):
            forge = WheelForge(
                name=name,
                version="1.0",
                files={f"{name}.py": b"x = 1\n", f"{name}-1.0.data/scripts/{name}": b"#!python\nprint(1)\n"},
                metadata=f"Metadata-Version: 2.4\nName: {name}\nVersion: 1.0\nLicense-Expression: MIT\n".encode(),
                entry_points=f"[console_scripts]\nrun-{name} = {name}:main\n",
            )
            content = forge.build()
            digest = index.add(name, forge.filename, content)
            file = (
                f'{{ url = {json.dumps(index.url + "/files/" + forge.filename)}, hashes = {{ sha256 = "{digest}" }} }}'
            )
            locked.append(f'[[packages]]\nname = "{name}"\nversion = "1.0"\nwheels = [{file}]\n')
        (root / "pylock.toml").write_text("\n".join(locked))
        config = BuildConfig(
            context_path=root, base_image=f"oci:{base}", platform="linux/amd64", cache_dir=tmp_path / "cache"
        )
        ImageBuilder(config).build()
    return tmp_path / "cache", root / "dist" / "image"


def test_records_tell_what_reading_tells(built: tuple[Path, Path]) -> None:
    cache, layout = built
    client = RegistryClient()
    known, unknown = (ImageReader(client, home=home, platform=debian_like().platform) for home in (cache, None))
    told, read = (inspect(each, each.open(str(layout))) for each in (known, unknown))
    assert [each.known for each in told.layers].count("record") == 1
    assert {each.known for each in read.layers} == {"read"}
    forgotten = [msgspec.structs.replace(layer, known="read") for layer in told.layers]
    assert msgspec.structs.replace(told, layers=tuple(forgotten), replaced_size=read.replaced_size) == read
    assert [(each.name, each.license, each.files) for each in told.packages] == [("one", "MIT", 8), ("two", "MIT", 8)]
    assert [layer.title for layer in told.layers[2:]] == [
        "user 65532:65532",
        "virtual environment",
        "2 packages",
        "project files",
    ]


@pytest.mark.parametrize(
    "entry",
    [
        Gone("app/.venv/lib/python3.12/site-packages/one-1.0.dist-info"),
        Gone("app/.venv"),
        Opaque("app"),
        File("app/.venv/lib/python3.12/site-packages/more-1.0.dist-info/METADATA", b"Name: more\nVersion: 1.0\n"),
    ],
    ids=["removed", "environment removed", "opaque", "added"],
)
def test_records_are_not_believed_of_an_image_that_somebody_built_upon(
    entry: File | Gone | Opaque, built: tuple[Path, Path], tmp_path: Path
) -> None:
    cache, layout = built
    readers = [ImageReader(RegistryClient(), home=home, platform=debian_like().platform) for home in (cache, None)]
    ours = readers[0].open(str(layout))
    image = Image(config=ours.config, layers=ours.layers).append([forge_layer([entry])])
    LayoutDestination(tmp_path / "upon").write(image)
    told, read = (inspect(each, each.open(str(tmp_path / "upon"))) for each in readers)
    assert told == read
    assert told.packages != inspect(readers[0], ours).packages


def test_looking_makes_no_record_recent(built: tuple[Path, Path]) -> None:
    cache, layout = built
    times = {path: path.stat().st_mtime_ns for path in cache.rglob("records/*.json")}
    reader = ImageReader(RegistryClient(), home=cache, platform=debian_like().platform)
    inspect(reader, reader.open(str(layout)))
    assert times == {path: path.stat().st_mtime_ns for path in cache.rglob("records/*.json")}


def test_without_pulling_unknown_layers_are_told_as_unknown(built: tuple[Path, Path]) -> None:
    cache, layout = built
    reader = ImageReader(RegistryClient(), home=cache, platform=debian_like().platform)
    found = inspect(reader, reader.open(str(layout)), pull=False)
    assert [layer.known for layer in found.layers].count("unknown") == len(found.layers) - 1
    assert len(found.packages) == 2
    assert (found.unpacked_size, found.os_packages) == (None, ())


def test_what_is_secret_in_a_config_or_a_history_is_masked(reader: ImageReader, opened: Open) -> None:
    """Build arguments stand in the history, where nobody looks for them."""
    secret, token = "h4nter2", "ghp_" + "a1B2" * 9
    address = f"https://bob:{secret}@host.lab/x"
    image = forge_image([forge_layer([File("a")])]).with_config(
        env=(f"API_TOKEN={secret}", f"URL={address}", f"X={token}", "PORT=80"),
        labels={"url": address, "api-key": secret},
        entrypoint=("run", f"--url=redis://:{secret}@cache.lab", f"--password={secret}"),
        cmd=(token,),
    )
    history = (History(created_by=f"|2 TOKEN={secret} PASSWORD='{secret} x' /bin/sh -c curl {address} {token} # a"),)
    image = replace(image, config=msgspec.structs.replace(image.config, history=history))
    found = inspect(reader, opened(image.with_annotations({"a": address, "b": f"see {token}"})))
    shown = msgspec.json.encode(found).decode()
    assert secret not in shown
    assert token not in shown
    assert found.config.env == {"API_TOKEN": "***", "URL": "https://***@host.lab/x", "X": "***", "PORT": "80"}
    assert found.layers[0].title == "|2 TOKEN=*** PASSWORD=*** /bin/sh -c curl https://***@host.lab/x *** # a"
    assert found.annotations["b"] == "see ***"


def _hostile() -> dict[str, bytes]:
    tar = forge_tar([File("a", bytes(10_000))])
    return {
        "cut off": tar[:1500],
        "no tar": b"x" * 2048,
        "whiteout of nothing": forge_tar([File(".wh.")]),
        "link in a circle": forge_tar([Link("a", "b"), Link("b", "a"), File("a/c")]),
    }


@pytest.mark.parametrize("name", _hostile())
def test_a_damaged_layer_is_refused(name: str, reader: ImageReader, opened: Open) -> None:
    image = opened(forge_image([layer_of_tar(_hostile()[name])]))
    with pytest.raises(DocumentError):
        inspect(reader, image)


def test_a_layer_of_other_bytes_than_the_config_says_is_refused(reader: ImageReader, opened: Open) -> None:
    layer = replace(forge_layer([File("a")]), diff_id=Digest.of(b"other"))
    with pytest.raises(IntegrityError, match="not what the image's config says"):
        inspect(reader, opened(forge_image([layer])))


def test_a_bomb_is_refused(reader: ImageReader, opened: Open) -> None:
    size = 300 << 20
    packed = gzip.compress(bytes(size), 9)
    layer = replace(forge_layer([]), blob=BytesBlob.of(packed, media_types.LAYER_GZIP))
    with pytest.raises(PyContainerError):
        inspect(reader, opened(forge_image([layer])))


def test_paths_out_of_the_image_stay_in_it(reader: ImageReader, opened: Open, distribution: Distribution) -> None:
    """Entries and rows of RECORD that climb are held by the image's root (FAILURES 43)."""
    site = "../../usr/lib/python3.12/site-packages"
    image = forge_image([forge_layer([*distribution("climber", site=site), File("/../../etc/x")])])
    (package,) = inspect(reader, opened(image)).packages
    assert (package.name, package.prefix, package.files) == ("climber", "/usr", 3)


def test_a_config_with_nothing_in_it_is_told(reader: ImageReader, opened: Open) -> None:
    found = inspect(reader, opened(forge_image([])))
    assert found.config == type(found.config)()
    assert ContainerConfig().user == found.config.user
    assert (found.size > 0, found.layers, found.unpacked_size) == (True, (), 0)
