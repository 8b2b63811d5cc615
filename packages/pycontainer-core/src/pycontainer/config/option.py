"""What an option is, and where a value of one came from.

`pycontainer.config.options` holds the one table of them.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from pycontainer.value import Value

PREFIX: Final = "PYCONTAINER_"


class Shape(Enum):
    """The type of an option's value, which decides how each source spells it."""

    TEXT = "string"
    PATH = "path"
    BOOLEAN = "boolean"
    INTEGER = "integer"
    CHOICE = "choice"
    TIME = "time"
    TEXTS = "list of strings"
    WORDS = "command"
    PORTS = "list of ports"
    OUTPUTS = "list of outputs"
    MAPPING = "mapping"
    FILES = "list of files"
    SECRET = "secret"  # noqa: S105 - the name of a shape
    POLICY = "policy"


class Group(Enum):
    """The headings of `--help` and of the reference, in their order."""

    IMAGE = "Image and where it goes"
    TRUST = "Signatures"
    BASE = "Base image and platforms"
    RUN = "How the container runs"
    CONTENT = "What goes into the image"
    DEPENDENCIES = "Dependencies"
    SYSTEM = "Operating system packages"
    REGISTRY = "Registries and networks"
    POLICY = "Policy"
    BUILD = "How the build works"
    REPORT = "What is reported"


# Shapes that hold several values: their flag may be repeated and their variable has several lines.
_SEVERAL: Final = frozenset({Shape.TEXTS, Shape.PORTS, Shape.OUTPUTS, Shape.MAPPING, Shape.FILES, Shape.POLICY})


class Option(Value, frozen=True, kw_only=True):
    """One row of the table.

    Attributes:
        name: The field of `BuildConfig`, or the name of something that only front ends need.
        shape: The type of its value.
        help: One sentence without a full stop; the first letter small.
        group: Its heading.
        flags: On the command line, the short one first; empty where there is none.
        negative: The flag that turns a boolean off.
        negative_help: What that flag does, for a boolean that is on by default.
        metavar: What stands for the value in `--help`.
        table: The table of `pycontainer.toml` that it stands in: `build` or `registry`; `policy` is a table itself.
        key: Its name there, with hyphens; none means the name of the field.
        in_files: Whether files may set it. A file must not hold a secret or say where itself is.
        in_environment: Whether `PYCONTAINER_…` may set it.
        also_read: A variable of other tools that counts where our own is not set.
        is_field: Whether it is a field of `BuildConfig`.
        choices: What a `CHOICE` may be.
        commas: Whether several values may stand in one text, with commas between them.
        default: The default, for people.
    """

    name: str
    shape: Shape
    help: str
    group: Group
    flags: tuple[str, ...] = ()
    negative: str | None = None
    negative_help: str = ""
    metavar: str = ""
    table: str = "build"
    key: str | None = None
    in_files: bool = True
    in_environment: bool = True
    also_read: str | None = None
    is_field: bool = True
    choices: tuple[str, ...] = ()
    commas: bool = False
    default: str = ""

    @property
    def toml_key(self) -> str:
        """`base-image`: the key in files; `base_image` is understood too."""
        return self.key or self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        """`PYCONTAINER_BASE_IMAGE`: the environment variable."""
        name = self.toml_key if self.table == "build" else self.name
        return PREFIX + name.replace("-", "_").upper()

    @property
    def flag(self) -> str:
        """The long flag that sets it, for messages; the variable where there is no flag."""
        return self.flags[-1] if self.flags else self.negative or self.variable

    @property
    def several(self) -> bool:
        """Whether it holds more than one value."""
        return self.shape in _SEVERAL


class Origin(Value, frozen=True):
    """Where a value came from, named as the user wrote it.

    Attributes:
        name: `--platform`, `PYCONTAINER_PLATFORM`, `build.platform in pycontainer.toml`.
    """

    name: str

    def __str__(self) -> str:
        return self.name
