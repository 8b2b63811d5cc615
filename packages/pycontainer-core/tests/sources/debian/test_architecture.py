from __future__ import annotations

import pytest

from pycontainer.errors import PackageError
from pycontainer.oci import Platform
from pycontainer.sources.debian.architecture import debian_architecture, oci_architecture

NAMES = {
    "linux/amd64": "amd64",
    "linux/amd64/v3": "amd64",
    "linux/386": "i386",
    "linux/arm64": "arm64",
    "linux/arm64/v8": "arm64",
    "linux/arm64/v9": "arm64",
    "linux/arm/v7": "armhf",
    "linux/arm/v6": "armel",
    "linux/arm/v5": "armel",
    "linux/ppc64le": "ppc64el",
    "linux/riscv64": "riscv64",
    "linux/s390x": "s390x",
    "linux/mips64le": "mips64el",
}


@pytest.mark.parametrize("text", NAMES)
def test_packages_of_a_platform(text: str) -> None:
    platform = Platform.parse(text)
    assert debian_architecture(platform) == NAMES[text]
    assert oci_architecture(NAMES[text]) == platform.architecture


@pytest.mark.parametrize("text", ["linux/wasm", "linux/loong64", "linux/mips"])
def test_a_platform_that_debian_has_nothing_for(text: str) -> None:
    with pytest.raises(PackageError, match=f"Debian has no packages for {text}") as caught:
        debian_architecture(Platform.parse(text))
    assert "{platform}" in (caught.value.hint or "")
