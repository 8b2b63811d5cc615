# ruff: noqa: INP001 - a script beside the pages it writes
"""Writes `docs/reference` and the tables in the READMEs of the front ends from the table of options.

    python docs/generate_reference.py            # write
    python docs/generate_reference.py --check    # fail where a page is not up to date

A test runs it with `--check`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Final

from pycontainer.config.option import Group, Option, Shape
from pycontainer.config.options import OPTIONS
from pycontainer.config.policy import RULES
from pycontainer.config.schema import configuration_schema
from pycontainer.config.sources import spellings
from pycontainer.frontend.exit_codes import MEANINGS

ROOT: Final = Path(__file__).resolve().parent.parent
REFERENCE: Final = ROOT / "docs" / "reference"
README: Final = ROOT / "packages" / "pycontainer-build" / "README.md"
HATCH_README: Final = ROOT / "packages" / "hatch-pycontainer" / "README.md"
NOTE: Final = "<!-- Written by docs/generate_reference.py from the table of options; edit that. -->\n"
BEGIN: Final = "<!-- options: begin -->\n"
END: Final = "<!-- options: end -->\n"
# What Hatch decides in another way than the options do.
HATCHS_OWN: Final = frozenset({"output"})
HATCH_DEFAULTS: Final = {"tag": "the project's name and version", "package": "the project"}

ONE_TABLE: Final = (
    "The same options everywhere: on the command line, in environment variables, in `pycontainer.toml`, in "
    "`[tool.pycontainer]` of `pyproject.toml`, and as fields of `BuildConfig`."
)
PRECEDENCE: Final = (
    "**Which goes before which:** command line, then environment, then `pycontainer.toml` (or `--config "
    "FILE`), then `[tool.pycontainer]`, then defaults. The files of a workspace's member that `--package` chooses go "
    "before the workspace's. Tables (`env`, `labels`, `annotations`, `mirrors`) merge key by key, and policies add up; "
    "everything else replaces. `pycontainer config` shows every value and where it comes from."
)
VARIABLES: Final = (
    "An empty variable says nothing. Of an option with several values, each stands on a line of its own; where "
    "values cannot hold commas, commas separate them too. A `PYCONTAINER_` variable that does not exist earns "
    "a warning."
)
FILES: Final = (
    "`pycontainer.toml` in the project has the tables `[build]`, `[registry]` and `[policy]`. The same keys may stand "
    "in `pyproject.toml`: those of `[build]` in `[tool.pycontainer]` itself, those of the others in "
    "`[tool.pycontainer.registry]` and `[tool.pycontainer.policy]`. Hyphen and underscore are the same, and the names "
    "of the library's fields are understood too. A key that does not exist is an error that names the nearest one."
)
POLICIES: Final = (
    "Rules that the image must keep; the [policy page](../how-to/policy.md) explains them. Policies of all sources "
    "count, so that none takes away what another one asks for."
)
SCHEMAS: Final = (
    "JSON Schemas (2020-12) for editors: [`pycontainer.toml`](pycontainer.schema.json) and "
    "[`[tool.pycontainer]`](pyproject.schema.json); `pycontainer config --schema` prints them."
)
JSON_ERRORS: Final = (
    'With `--json`, a command that fails writes one object to standard output, `{"error": {"kind", "message", '
    '"facts", "hint", "exit_code"}}`, and the message for people to standard error as always.'
)

NOTATIONS: Final = {
    Shape.TEXT: "a string",
    Shape.PATH: "a path; on the command line and in variables relative to the current directory, in a file to the file",
    Shape.BOOLEAN: "`true` or `false`; in variables also `1`, `0`, `yes`, `no`, `on`, `off`",
    Shape.INTEGER: "a whole number",
    Shape.CHOICE: "one of the words that are named",
    Shape.TIME: "seconds since 1970, or RFC 3339",
    Shape.TEXTS: "a list of strings; the flag is repeated, a variable has one a line",
    Shape.WORDS: "a list of words, or one string that is split as a shell does; as text also a JSON list",
    Shape.PORTS: "a list of numbers or strings; the flag is repeated",
    Shape.OUTPUTS: "a list of strings; the flag is repeated",
    Shape.MAPPING: "a table of strings; the flag is repeated with `K=V`, a variable has one `K=V` a line",
    Shape.FILES: "a list of `SRC:DEST[:MODE[:OWNER]]`, or in a file of tables with `source`, `destination`, `mode` and "
    "`owner`; the flag is repeated",
    Shape.SECRET: "a string that is never shown",
    Shape.POLICY: "a path, or several; in a file also a table of rules",
}

OTHER_VARIABLES: Final = (
    ("PYCONTAINER_DEBUG", "`1` shows tracebacks of errors"),
    ("SOURCE_DATE_EPOCH", "when the image was created, where `--created` and `PYCONTAINER_CREATED` do not say it"),
    ("NO_COLOR", "anything turns colour off"),
    ("TERM", "`dumb` turns colour and bars off"),
    ("XDG_CACHE_HOME", "where the cache is, unless `--cache-dir` says it; on Windows `LOCALAPPDATA`"),
    ("REGISTRY_USERNAME, REGISTRY_PASSWORD", "credentials for the registry that the image is pushed to"),
    (
        "REGISTRY_AUTH_FILE, DOCKER_CONFIG, XDG_RUNTIME_DIR, XDG_CONFIG_HOME",
        "where credentials of registries are looked for",
    ),
    ("GITHUB_TOKEN, GITHUB_ACTOR", "credentials for ghcr.io"),
    ("HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY", "proxies, in either case of letters"),
    ("DOCKER_HOST, DOCKER_CONTEXT, DOCKER_TLS, DOCKER_TLS_VERIFY, DOCKER_CERT_PATH", "how to reach Docker's engine"),
    (
        "UV_INDEX, UV_DEFAULT_INDEX, UV_INDEX_URL, UV_EXTRA_INDEX_URL, UV_FIND_LINKS",
        "package indexes, read as uv does",
    ),
    ("UV_NO_INDEX, UV_INSECURE_HOST, UV_KEYRING_PROVIDER, UV_CONFIG_FILE, UV_NO_CONFIG", "as above"),
    ("UV_INDEX_<NAME>_USERNAME, UV_INDEX_<NAME>_PASSWORD", "credentials of the index of that name"),
    (
        "PIP_INDEX_URL, PIP_EXTRA_INDEX_URL, PIP_FIND_LINKS, PIP_NO_INDEX, PIP_CONFIG_FILE, VIRTUAL_ENV",
        "package indexes as pip is configured",
    ),
    (
        "POETRY_CONFIG_DIR, POETRY_HTTP_BASIC_<NAME>_USERNAME, POETRY_HTTP_BASIC_<NAME>_PASSWORD",
        "credentials of Poetry's sources",
    ),
    ("PYENV_ROOT", "where pyenv keeps Pythons, one of which may compile bytecode; else `~/.pyenv`"),
    ("NETRC", "another file of credentials than `~/.netrc`"),
    ("XDG_CONFIG_DIRS, PROGRAMDATA", "where configuration for all users of this host is"),
    ("SSL_CERT_FILE, REQUESTS_CA_BUNDLE", "certificates to trust besides the system's"),
)


def pages() -> dict[Path, str]:
    """Every generated file and its content."""
    return {
        REFERENCE / "options.md": options_page(),
        REFERENCE / "environment.md": environment_page(),
        REFERENCE / "configuration.md": configuration_page(),
        REFERENCE / "exit-codes.md": exit_codes_page(),
        REFERENCE / "pycontainer.schema.json": schema("pycontainer.toml"),
        REFERENCE / "pyproject.schema.json": schema("pyproject.toml"),
        README: readme(),
        HATCH_README: hatch_readme(),
    }


def options_page() -> str:
    """Every option with all its spellings."""
    lines = [
        NOTE,
        "# Options",
        "",
        ONE_TABLE,
        "",
        PRECEDENCE,
        "",
    ]
    for group in Group:
        lines += [f"## {group.value}", ""]
        for option in OPTIONS.values():
            if option.group is group:
                lines += [*section(option), ""]
    return "\n".join(lines).rstrip() + "\n"


def section(option: Option) -> list[str]:
    """One option of the page of options."""
    flags = " or ".join(f"`{flag}{_value(option)}`" for flag in option.flags) or "none"
    rows = [("command line", flags + (f", `{option.negative}`" if option.negative else ""))]
    if option.in_environment:
        rows.append(
            ("environment", f"`{option.variable}`" + (f", else `{option.also_read}`" if option.also_read else ""))
        )
    if option.in_files:
        rows.append(("pycontainer.toml", _place(option, "")))
        rows.append(("pyproject.toml", _place(option, "tool.pycontainer")))
    if option.is_field:
        rows.append(("library", f"`{option.name}`"))
    rows += [("value", NOTATIONS[option.shape]), ("default", option.default or "none")]
    return [f"### {option.toml_key}", "", f"{_sentence(option.help)}.", "", "| | |", "|---|---|", *map(_row, rows)]


def _place(option: Option, root: str) -> str:
    """Where an option stands in a file whose tables are below `root`."""
    if option.shape is Shape.POLICY:
        return f"`[{'.'.join(filter(None, [root, option.table]))}]`"
    table = "" if root and option.table == "build" else option.table
    return f"`{option.toml_key}` in `[{'.'.join(filter(None, [root, table]))}]`"


def environment_page() -> str:
    """Every variable."""
    rows = [
        (f"`{option.variable}`", f"`{option.flag}`" if option.flags else "", _sentence(option.help))
        for option in OPTIONS.values()
        if option.in_environment
    ]
    others = [
        (", ".join(f"`{name}`" for name in names.split(", ")), _sentence(text)) for names, text in OTHER_VARIABLES
    ]
    return "\n".join(
        [
            NOTE,
            "# Environment variables",
            "",
            VARIABLES,
            "",
            "## Options",
            "",
            "| variable | flag | |",
            "|---|---|---|",
            *map(_row, rows),
            "",
            "## Others that are read",
            "",
            "| variable | |",
            "|---|---|",
            *map(_row, others),
            "",
        ]
    )


def configuration_page() -> str:
    """Every key of files."""
    lines = [
        NOTE,
        "# Configuration files",
        "",
        FILES,
        "",
        "```toml",
        "[build]",
        'base-image = "python:3.12-slim"',
        'platform = ["linux/amd64", "linux/arm64"]',
        "ports = [8000]",
        'add = [{ source = "etc/app.ini", destination = "/etc/app.ini", mode = "0640" }]',
        "",
        "[build.env]",
        'LOG_LEVEL = "info"',
        "",
        "[registry]",
        'url = "ghcr.io/acme"',
        "```",
        "",
        SCHEMAS,
        "",
    ]
    for table in ("build", "registry"):
        rows = [
            (
                f"`{option.toml_key}`" + "".join(f", `{name}`" for name in _aliases(option)),
                option.shape.value,
                _sentence(option.help),
                option.default,
            )
            for option in OPTIONS.values()
            if option.in_files and option.table == table
        ]
        lines += [f"## [{table}]", "", "| key | type | | default |", "|---|---|---|---|", *map(_row, rows), ""]
    rules = [
        ("`extends`", "path", "A file of rules that the image must keep too"),
        *((f"`{rule.toml_key}`", rule.shape.value, _sentence(rule.help)) for rule in RULES.values()),
    ]
    lines += ["## [policy]", "", POLICIES, "", "| key | type | asks that |", "|---|---|---|", *map(_row, rules), ""]
    return "\n".join(lines)


def exit_codes_page() -> str:
    """Every exit code."""
    rows = [(f"`{code}`", meaning) for code, meaning in MEANINGS.items()]
    return "\n".join(
        [
            NOTE,
            "# Exit codes",
            "",
            "| code | |",
            "|---|---|",
            *map(_row, rows),
            "",
            JSON_ERRORS,
            "",
        ]
    )


def readme() -> str:
    """The README of the command with its table of options renewed."""
    rows = [
        (
            f"`{_shown_flag(option)}`",
            _sentence(option.negative_help or option.help),
            "" if option.negative_help else option.default,
        )
        for option in OPTIONS.values()
        if option.flags
    ]
    return _renewed(README, ["| option | | default |", "|---|---|---|", *map(_row, rows)])


def hatch_readme() -> str:
    """The README of Hatch's plugin with its table of options renewed: without `output`, which are versions there."""
    rows = [
        (
            f"`{'registry.' if option.table == 'registry' else ''}{option.toml_key}`",
            option.shape.value,
            HATCH_DEFAULTS.get(option.name, option.default),
            _sentence(option.help),
        )
        for option in OPTIONS.values()
        if option.in_files and option.name not in HATCHS_OWN
    ]
    return _renewed(HATCH_README, ["| Option | Type | Default | Description |", "|---|---|---|---|", *map(_row, rows)])


def _renewed(page: Path, table: list[str]) -> str:
    """A page with the table between its marks renewed."""
    before, rest = page.read_text("utf-8").split(BEGIN)
    return before + BEGIN + "\n".join([*table, ""]) + END + rest.split(END)[1]


def schema(file: str) -> str:
    """A schema as a file."""
    content = configuration_schema("pyproject.toml" if file == "pyproject.toml" else "pycontainer.toml")
    return json.dumps(content, indent=2) + "\n"


def _shown_flag(option: Option) -> str:
    return option.negative if option.negative and option.negative_help else f"{option.flag}{_value(option)}"


def _value(option: Option) -> str:
    return f" {option.metavar}" if option.metavar else ""


def _aliases(option: Option) -> list[str]:
    return [name for name in spellings(option)[1:] if "_" not in name]


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def main() -> int:
    """Write the pages, or say which are old."""
    old = [path for path, content in pages().items() if not path.exists() or path.read_text("utf-8") != content]
    if "--check" in sys.argv[1:]:
        for path in old:
            sys.stderr.write(f"{path.relative_to(ROOT)} is not up to date: run docs/generate_reference.py\n")
        return 1 if old else 0
    for path, content in pages().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
