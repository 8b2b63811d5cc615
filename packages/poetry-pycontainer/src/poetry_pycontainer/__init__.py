"""`poetry build-container`: the image of a Poetry project, from its lock, without Docker.

The front end of `pycontainer` inside of Poetry. It translates and builds nothing itself: `flags` are the core's options
under names that Poetry leaves free, `project` and `lock` are what Poetry knows of the project, `indexes` are its
sources and credentials, `report` shows the core's events in Poetry's styles, and `command` joins them.
"""

from typing import Final

COMMAND: Final = "build-container"
