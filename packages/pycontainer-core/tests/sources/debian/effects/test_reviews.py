"""Reviews hold for the text that was read, whatever its version and architecture."""

from __future__ import annotations

from pycontainer.sources.debian.effects.reviewed import fingerprint, reviewed_script
from pycontainer.sources.debian.effects.reviews import REVIEWS
from pycontainer.sources.debian.package import BinaryPackage

READLINE = "#!/bin/sh -e\ncp -p /usr/share/readline/inputrc /etc/inputrc\n"


def package(version: str = "1.0", architecture: str = "amd64") -> BinaryPackage:
    return BinaryPackage(name="tool", version=version, architecture=architecture)


def test_versions_architectures_and_comments_are_left_out() -> None:
    one = "#!/bin/sh\n# by 13.11\nx /usr/lib/x86_64-linux-gnu/t libc6:amd64 1.0\n"
    two = "#!/bin/sh\n\n# by 13.12\n  # y\nx /usr/lib/aarch64-linux-gnu/t libc6:arm64 2.0  \n"
    assert fingerprint(package(), one) == fingerprint(package("2.0", "arm64"), two)


def test_any_other_change_is_a_new_script() -> None:
    first = fingerprint(package(), "#!/bin/sh\nx\n")
    assert first != fingerprint(package(), "#!/bin/sh\nx y\n")
    assert first != fingerprint(package(), "#!/bin/bash\nx\n")
    assert first != fingerprint(package(), "#!/bin/sh\n x\n")


def test_a_script_of_another_text_has_no_review() -> None:
    named = BinaryPackage(name="readline-common", version="8.2-1.3", architecture="all")
    assert reviewed_script(named, "postinst", READLINE) is None
    assert reviewed_script(package(), "postinst", READLINE) is None


def test_every_review_gives_its_reason() -> None:
    for review in REVIEWS:
        assert review.fingerprints
        assert all(len(each) == 32 for each in review.fingerprints)
        assert len(review.reason) > 30
        assert review.script in {"preinst", "postinst"}
