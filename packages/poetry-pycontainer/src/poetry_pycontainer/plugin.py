"""What Poetry loads at every start, whatever the command: it must cost nothing.

[project.entry-points."poetry.application.plugin"]
pycontainer = "poetry_pycontainer.plugin:ContainerPlugin"
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from poetry.plugins.application_plugin import ApplicationPlugin

from poetry_pycontainer import COMMAND

if TYPE_CHECKING:
    from poetry.console.application import Application
    from poetry.console.commands.command import Command


class ContainerPlugin(ApplicationPlugin):
    """Adds the command, which is imported when it is asked for."""

    def activate(self, application: Application) -> None:
        """Register the command with Poetry."""
        application.command_loader.register_factory(COMMAND, _make_command)


def _make_command() -> Command:
    from poetry_pycontainer.command import BuildContainerCommand  # noqa: PLC0415 - see above

    return BuildContainerCommand()
