"""Digests, references and platforms parse and print both ways, and refuse what is not one."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycontainer.errors import DocumentError
from pycontainer.oci import Digest, Platform, Reference

HEX = "0123456789abcdef"
digests = st.text(HEX, min_size=64, max_size=64).map(lambda text: Digest("sha256", text))
components = st.from_regex(r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+){0,2}", fullmatch=True)
references = st.builds(
    Reference,
    st.sampled_from(["localhost:5000", "ghcr.io", "registry.example:65535", "[::1]:5000", "127.0.0.1:1"]),
    st.lists(components, min_size=1, max_size=4).map("/".join).filter(lambda name: len(name) < 200),
    st.none() | st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}", fullmatch=True),
    st.none() | digests,
)


@given(digests)
def test_digest_parses_what_it_prints(digest: Digest) -> None:
    assert Digest.parse(str(digest)) == digest


def test_digest_of_content_is_its_sha256() -> None:
    assert Digest.of(b"abc").hex == hashlib.sha256(b"abc").hexdigest()


@pytest.mark.parametrize(
    "text",
    [
        "sha256:../../x",
        "sha256:" + "A" * 64,
        "sha256:" + "0" * 63,
        "sha256:" + "0" * 65,
        "md5:" + "0" * 32,
        "sha256" + "0" * 64,
        "",
        "sha256:" + "0" * 63 + "\n",
    ],
)
def test_digest_refuses_what_is_unsafe_in_a_url_or_path(text: str) -> None:
    with pytest.raises(DocumentError):
        Digest.parse(text)


@given(references)
def test_reference_parses_what_it_prints(reference: Reference) -> None:
    assert Reference.parse(str(reference)) == reference
    assert Reference.parse(reference.familiar) == reference


@pytest.mark.parametrize(
    ("text", "full"),
    [
        ("python", "docker.io/library/python"),
        ("python:3.12-slim", "docker.io/library/python:3.12-slim"),
        ("index.docker.io/library/python", "docker.io/library/python"),
        ("registry-1.docker.io/acme/api:1", "docker.io/acme/api:1"),
        ("acme/api", "docker.io/acme/api"),
        ("localhost/api", "localhost/api"),
        ("Registry/api", "Registry/api"),
        ("[::1]:5000/api:x", "[::1]:5000/api:x"),
    ],
)
def test_short_names_mean_what_they_mean_everywhere(text: str, full: str) -> None:
    assert str(Reference.parse(text)) == full


@pytest.mark.parametrize(
    "text",
    [
        "host:99999/x",
        "../x",
        "a/../b",
        "",
        "UPPER",
        "x:" + "t" * 129,
        "x@sha256:00",
        "x@",
        "x:",
        "https://registry.example/x",
        "registry.exämple/x",
        "x:tag\n",
        "a//b",
        "/a",
        "x:-tag",
        "r.example/" + "a" * 250,
    ],
)
def test_reference_refuses(text: str) -> None:
    with pytest.raises(DocumentError, match="is not an image reference"):
        Reference.parse(text)


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("linux/amd64", "linux/amd64"),
        ("linux/x86_64", "linux/amd64"),
        ("Linux/aarch64", "linux/arm64"),
        ("linux/arm64/v8", "linux/arm64/v8"),
        ("linux/armhf", "linux/arm/v7"),
    ],
)
def test_platform_is_read_and_printed_in_gos_words(text: str, printed: str) -> None:
    assert str(Platform.parse(text)) == printed
    assert Platform.parse(str(Platform.parse(text))) == Platform.parse(text)


def test_a_platform_matches_its_default_variant() -> None:
    assert Platform.parse("linux/arm64").matches(Platform("linux", "arm64", "v8"))
    assert not Platform.parse("linux/arm/v6").matches(Platform("linux", "arm"))
    assert not Platform.parse("linux/amd64").matches(Platform("linux", "arm64"))


@pytest.mark.parametrize("text", ["linux", "linux/", "linux/amd64/v2/x", "linux/amd 64", "", "//"])
def test_platform_refuses(text: str) -> None:
    with pytest.raises(DocumentError, match="is not a platform"):
        Platform.parse(text)
