"""`pycontainer auth explain REF`: where credentials are looked for, and which are found; never what they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pycontainer.frontend import exit_codes
from pycontainer_cli.arguments import CommandParser, add_own

if TYPE_CHECKING:
    from collections.abc import Sequence


def parser() -> CommandParser:
    """The parser of the command."""
    made = CommandParser(
        "auth explain",
        "Show where credentials for an image's registry are looked for, and which are found.",
        usage="REF [OPTIONS]",
    )
    made.add_argument("reference", metavar="REF", nargs="?", help="the image, such as `ghcr.io/acme/api`")
    add_own(made, "print it as JSON")
    return made


def run(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    given = parser().parse(arguments)

    from pycontainer.config.values import show  # noqa: PLC0415 - not for `--help`
    from pycontainer.errors import ConfigError, DocumentError  # noqa: PLC0415 - as above
    from pycontainer.frontend.messages import clean  # noqa: PLC0415 - as above
    from pycontainer.oci import Reference  # noqa: PLC0415 - as above
    from pycontainer.transports.registry.credentials import Credentials  # noqa: PLC0415 - as above
    from pycontainer.transports.registry.settings import RegistrySettings  # noqa: PLC0415 - as above
    from pycontainer_cli.output import write_json, write_line  # noqa: PLC0415 - as above

    if not given.reference:
        raise ConfigError("No image is named", hint="Write `pycontainer auth explain ghcr.io/acme/api`")
    try:
        reference = Reference.parse(given.reference)
    except DocumentError:
        # Its message quotes the text, which may hold a password before an `@`.
        raise ConfigError(f"`{show(given.reference)}` is not an image reference") from None
    settings = RegistrySettings(own_registries=frozenset({reference.registry}))
    explanation = Credentials(settings).explain(reference.registry, reference.repository)
    found = explanation.credential
    if given.json:
        write_json(
            {
                "registry": explanation.registry,
                "repository": explanation.repository,
                "looked_at": list(explanation.lines),
                "found": str(found) if found else None,
            }
        )
        return exit_codes.OK
    for line in explanation.lines:
        write_line(f"  {clean(line)}")
    write_line(clean(f"{reference.name}: {found or 'no credentials, access is anonymous'}"))
    return exit_codes.OK
