"""The reviews of scripts: see `reviewed`.

Each was made by reading the script and by comparing the files of a real installation with those of this package's
layers, in Debian 12 and 13; the reason says what the difference was.
"""

from __future__ import annotations

from typing import Final

from pycontainer.sources.debian.effects.actions import (
    AddGroup,
    Alternative,
    Divert,
    MakeDirectory,
    MakeFile,
    MakeLink,
    UpdateCaCertificates,
    UpdatePixbufLoaders,
)
from pycontainer.sources.debian.effects.review import ReviewedScript

_BYTE_COMPILE: Final = """\
[DEFAULT]
# how to byte-compile (comma separated: standard, optimize)
byte-compile = standard
"""

REVIEWS: Final[tuple[ReviewedScript, ...]] = (
    ReviewedScript(
        package="ca-certificates",
        script="postinst",
        fingerprints=frozenset({"ad8e02a0514b064c71a479b29e4ceb31"}),
        reason="enables all certificates and writes the bundle and the links, which is done in its place",
        actions=(MakeDirectory(path="/usr/local/share/ca-certificates"), UpdateCaCertificates()),
    ),
    *(
        ReviewedScript(
            package="libc6",
            script="preinst",
            fingerprints=frozenset({fingerprint}),
            reason="looks at the kernel and LD_LIBRARY_PATH of a running system, and at services before an upgrade",
        )
        for fingerprint in (
            "dcc342a6dc7718e01044f8beb703b6c7",
            "ef4a73952ec5b4fcea23684d81e242ca",
            "f2fd3f82229bd37232bd812c57246b17",
            "1b21fa5bd06356a267205c4ef92b45c9",
        )
    ),
    *(
        ReviewedScript(
            package="libc6",
            script="postinst",
            fingerprints=frozenset({fingerprint}),
            reason="restarts services after an upgrade, and removes a switch that no release has had for years",
        )
        for fingerprint in ("eca15b72ba000332b14bd32d0e867fc3", "4cb3fad68809eea072ffc85905500e82")
    ),
    ReviewedScript(
        package="tzdata",
        script="postinst",
        fingerprints=frozenset({"4cfde0cb95ed832f17000bd61b5de39d"}),
        reason="makes UTC the time zone where nobody chose another one, which is done in its place",
        actions=(
            MakeLink(path="/etc/localtime", target="/usr/share/zoneinfo/Etc/UTC"),
            MakeFile(path="/etc/timezone", content="Etc/UTC\n"),
        ),
    ),
    ReviewedScript(
        package="tzdata",
        script="postinst",
        fingerprints=frozenset({"fd516c0b493d2c11a866a9a5133941bb"}),
        reason="makes UTC the time zone where nobody chose another one, which is done in its place",
        actions=(MakeLink(path="/etc/localtime", target="/usr/share/zoneinfo/Etc/UTC"),),
    ),
    ReviewedScript(
        package="libdebuginfod-common",
        script="postinst",
        fingerprints=frozenset({"b375eba17f87ad5e87f92262a1f77ecd"}),
        reason="where nobody asks for it, no server of debugging symbols is configured, and no file differs",
    ),
    *(
        ReviewedScript(
            package=package,
            script=script,
            fingerprints=fingerprints,
            reason="writes lists of dictionaries for Emacs and other editors; hunspell and libraries do not read them",
            actions=actions,
        )
        for package, script, fingerprints, actions in (
            (
                "dictionaries-common",
                "preinst",
                frozenset({"c4804d9aa653d42607e62dbb83393803"}),
                (
                    Divert(
                        path="/usr/share/dict/words",
                        other="/usr/share/dict/words.pre-dictionaries-common",
                        package="dictionaries-common",
                    ),
                ),
            ),
            ("dictionaries-common", "postinst", frozenset({"c3174c3e77250e74bfdf0e4a83711ddf"}), ()),
            (
                "emacsen-common",
                "preinst",
                frozenset({"c37257460729f84784a75c4fb4f53b16", "aace31b1b4d88374ea8609db0da7b651"}),
                (),
            ),
            (
                "emacsen-common",
                "postinst",
                frozenset({"b5f2420d56541f3a8ea1421e525bba08", "6add9704edbe727eb5343f2496336c27"}),
                (),
            ),
            ("hunspell-en-us", "postinst", frozenset({"0f23ede977cc36691e1c22c221138e3b"}), ()),
        )
    ),
    ReviewedScript(
        package="libgstreamer1.0-0",
        script="postinst",
        fingerprints=frozenset({"31ba8b2d3e45647e24b7019457055f2d", "7e5b0100fe29f0ce6b2378604e852a7b"}),
        reason="lets gst-ptp-helper open privileged ports, to set clocks by the network (PTP); it is not here",
    ),
    ReviewedScript(
        package="libselinux1",
        script="postinst",
        fingerprints=frozenset({"5abb5587f359216f125989922558c5d5"}),
        reason="removes compiled policies that older versions left; where it comes anew, there are none",
    ),
    ReviewedScript(
        package="mariadb-common",
        script="postinst",
        fingerprints=frozenset({"13abecc83452c8ecb12a962f7b3459db", "8167f79a0001dd09b7e11c378fe675b1"}),
        reason="makes its settings those of all clients, which is done in its place",
        actions=(Alternative(name="my.cnf", link="/etc/mysql/my.cnf", path="/etc/mysql/mariadb.cnf", priority=200),),
    ),
    *(
        ReviewedScript(
            package=package,
            script="postinst",
            fingerprints=frozenset({fingerprint}),
            reason="writes a map of fonts that Ghostscript finds without it as well: nine fonts were drawn the same",
        )
        for package, fingerprint in (
            ("fonts-urw-base35", "8d4a4fb06415a7ca524ad339ee05e365"),
            ("ghostscript", "14c9eebbd61ffe389fb1f0347a3a412b"),
            ("poppler-data", "ab4c3bba3f54a3730114062d5a827cd1"),
        )
    ),
    *(
        ReviewedScript(
            package=package,
            script="postinst",
            fingerprints=frozenset({fingerprint}),
            reason="lists the formats that the modules of gdk-pixbuf read, which is done in its place",
            actions=(UpdatePixbufLoaders(),),
        )
        for package, fingerprint in (
            ("libgdk-pixbuf-2.0-0", "89e40cb33c7945ff20c6aa61ed74f0c3"),
            ("librsvg2-common", "836828c22e78027e8336f5eb3ae8bc86"),
        )
    ),
    ReviewedScript(
        package="libpaper1",
        script="postinst",
        fingerprints=frozenset({"bf10ee308e39eb76cd4189b40b6266a8"}),
        reason="writes the size of paper, which is done in its place",
        actions=(MakeFile(path="/etc/papersize", content="a4\n"),),
    ),
    ReviewedScript(
        package="locales",
        script="postinst",
        fingerprints=frozenset({"d69fd7287dcca42cce493cc7cb971143", "3c70996539364f6a5491a6f4c8c3ff8b"}),
        reason="generates no locale where nobody chose one; /etc/locale.gen has comments only and is missing",
    ),
    ReviewedScript(
        package="openssh-client",
        script="postinst",
        fingerprints=frozenset({"f453661d900a67f6a7c359c8025e2c26", "dc7c869c44a3a01b5f5bc5dd4cafd28e"}),
        reason="makes ssh-agent set-group-ID, so that other processes of its user cannot trace it; it is not here, "
        "and ssh, scp and sftp do not need it",
        actions=(AddGroup(name="_ssh"),),
    ),
    *(
        ReviewedScript(
            package=f"postgresql-client-{version}",
            script="postinst",
            fingerprints=frozenset({"17f4b8430ada32df29227f1e3fedfb85"}),
            reason="chooses among the manual pages of several releases, and images have no manual pages",
        )
        for version in range(13, 19)
    ),
    ReviewedScript(
        package="python3",
        script="postinst",
        fingerprints=frozenset({"8b2f3be221911b64dc823daeaefcd586", "da4bc29fc0f3def8c477899b0579d569"}),
        reason="compiles the modules of Debian's own packages, which Python does anew where it has to",
        actions=(
            MakeDirectory(path="/etc/python3"),
            MakeFile(path="/etc/python3/debian_config", content=_BYTE_COMPILE),
        ),
    ),
    ReviewedScript(
        package="ucf",
        script="preinst",
        fingerprints=frozenset({"e55f717943a9617fe5b936758b3287e2", "3fdcd8d144839976bc6d801abfdc3ba8"}),
        reason="moves the lists of an older installation, of which there is none, and no file differs",
    ),
)
