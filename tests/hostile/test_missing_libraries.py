"""A shared library that packages need and nobody brings stops the command before anything is written."""

from __future__ import annotations

from pathlib import Path

import pytest
from bench import Bench

from pycontainer.destinations.layout import LayoutDestination
from pycontainer.testing.images import File, debian_like, forge_image, forge_layer
from pycontainer.testing.libraries import forge_library
from pycontainer.testing.wheels import WheelForge

MODULE = "demo/_c.cpython-312-x86_64-linux-gnu.so"
NEEDS = WheelForge(files={"demo/__init__.py": b"", MODULE: forge_library(needed=["libc.so.6", "libnothere.so.9"])})
BRINGS = WheelForge(name="other", files={"other/libnothere.so.9": forge_library(soname="libnothere.so.9")})
FACT = f"`libnothere.so.9`: needed by demo 1.0 ({MODULE})"


def test_it_is_refused_and_the_second_time_as_well(bench: Bench) -> None:
    """The second build has every layer in the cache and opens no wheel."""
    bench.lock_forge(NEEDS)
    first = bench.refuses("1 shared library that the packages need is not in the image", FACT, "`libnothere9`")
    again = bench.refuses(FACT)
    assert "downloaded" not in again
    assert again[again.index("error:") :] == first[first.index("error:") :]
    assert "--check-libraries" in first


@pytest.mark.parametrize("mode", ["warn", "off"])
def test_it_is_allowed_where_the_options_say_so(bench: Bench, mode: str) -> None:
    bench.lock_forge(NEEDS)
    for _ in range(2):
        outcome = bench.build(f"--check-libraries={mode}")
        assert outcome.code == 0, outcome.err
        assert ("warning: 1 shared library that the packages need" in outcome.err) == (mode == "warn")
        assert (FACT in outcome.err) == (mode == "warn")


def test_another_package_brings_it(bench: Bench) -> None:
    bench.lock_forge(NEEDS)
    bench.lock_forge(BRINGS)
    outcome = bench.build()
    assert outcome.code == 0, outcome.err
    assert "libnothere" not in outcome.err


def test_the_base_brings_it(bench: Bench, tmp_path: Path) -> None:
    base = debian_like("3.12.4")
    library = File("usr/lib/x86_64-linux-gnu/libnothere.so.9", forge_library(soname="libnothere.so.9"))
    path = tmp_path / "fuller"
    LayoutDestination(path).write(
        forge_image([*base.layers, forge_layer([library])], environment=base.config.config.environment)
    )
    bench.lock_forge(NEEDS)
    outcome = bench.build("--base-image", f"oci:{path}")
    assert outcome.code == 0, outcome.err


def test_a_file_of_the_project_brings_it(bench: Bench) -> None:
    bench.lock_forge(NEEDS)
    bench.write("libnothere.so.9", forge_library(soname="libnothere.so.9"))
    outcome = bench.build()
    assert outcome.code == 0, outcome.err


def test_a_version_that_the_base_is_too_old_for(bench: Bench, tmp_path: Path) -> None:
    base = debian_like("3.12.4")
    library = forge_library(soname="libstdc++.so.6", defines=["GLIBCXX_3.4.30"])
    path = tmp_path / "old"
    LayoutDestination(path).write(
        forge_image(
            [*base.layers, forge_layer([File("usr/lib/x86_64-linux-gnu/libstdc++.so.6", library)])],
            environment=base.config.config.environment,
        )
    )
    needs = forge_library(needed=["libstdc++.so.6"], versions={"libstdc++.so.6": ["GLIBCXX_3.4.30", "GLIBCXX_3.4.32"]})
    bench.lock_forge(WheelForge(files={"demo/__init__.py": b"", MODULE: needs}))
    bench.refuses(
        f"`GLIBCXX_3.4.32` of `libstdc++.so.6`: needed by demo 1.0 ({MODULE})",
        "newer versions",
        arguments=["--base-image", f"oci:{path}"],
    )


def test_what_only_a_part_needs_is_a_warning_and_a_plugin_a_detail(bench: Bench) -> None:
    files = {
        "demo/__init__.py": b"",
        MODULE: forge_library(needed=["libc.so.6"]),
        "demo/_gui.abi3.so": forge_library(needed=["libGL.so.1"]),
        "demo/plugins/libdatabase.so": forge_library(needed=["libodd.so.5"]),
    }
    bench.lock_forge(WheelForge(files=files))
    outcome = bench.build()
    assert outcome.code == 0, outcome.err
    assert "warning: 1 shared library that parts of the packages need is not in the image" in outcome.err
    assert "`libGL.so.1`: needed by demo 1.0 (demo/_gui.abi3.so)" in outcome.err
    assert "`libgl1`" in outcome.err
    assert "libodd" not in outcome.err
    assert "Not in the image: `libodd.so.5`" in bench.build("--verbose").err


def test_files_that_only_look_like_libraries_are_none(bench: Bench) -> None:
    files = {
        "demo/__init__.py": b"",
        "demo/script.so": b"INPUT(libnothere.so)\n",
        "demo/short.so": b"\x7fELF",
        "demo/broken.so": forge_library(needed=["libnothere.so.9"], tags={5: 1 << 50}),
    }
    bench.lock_forge(WheelForge(files=files))
    outcome = bench.build()
    assert outcome.code == 0, outcome.err
    assert "libnothere" not in outcome.err
