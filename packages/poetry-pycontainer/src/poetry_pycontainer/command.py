"""`poetry build-container`: the digest reference alone on standard output, everything else on standard error."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING, ClassVar

from cleo.exceptions import CleoError
from cleo.helpers import option
from cleo.io.outputs.output import Type, Verbosity
from packaging.utils import canonicalize_name
from poetry.console.commands.group_command import GroupCommand
from poetry.console.exceptions import GroupNotFoundError
from poetry.core.packages.dependency_group import MAIN_GROUP
from poetry.exceptions import PoetryError

from poetry_pycontainer import COMMAND
from poetry_pycontainer.flags import flag, given_options, table_options
from pycontainer.errors import ConfigError, LockError
from pycontainer.frontend import exit_codes
from pycontainer.frontend.errors import error_json, foreseen
from pycontainer.frontend.interrupt import interruptible, leave
from pycontainer.value import replace

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cleo.io.inputs.option import Option

    from poetry_pycontainer.report import Report
    from pycontainer.builder import ImageBuilder
    from pycontainer.config import BuildConfig
    from pycontainer.config.load import Loaded

_HELP = """\
The <info>build-container</info> command makes an OCI image of the project and of what <comment>poetry.lock</> pins,
without Docker, and pushes it where asked:

<info>poetry build-container --tag registry.example/acme/api:1.0 --push</info>

Without options the image goes to <comment>dist/image</>, an OCI layout. The main dependencies are part of it; groups
and extras only where they are chosen.

Options may also stand in <comment>[tool.pycontainer]</> of <comment>pyproject.toml</>, in
<comment>pycontainer.toml</>, and in <comment>PYCONTAINER_...</> variables.
"""


class BuildContainerCommand(GroupCommand):
    """The command."""

    name = COMMAND
    description = "Builds an OCI image of the project from its lock, without Docker."
    help = _HELP
    options: ClassVar[list[Option]] = [
        *GroupCommand._group_dependency_options(),  # noqa: SLF001 - how all commands of Poetry have them
        option("all-groups", None, "Include dependencies from all groups."),
        option("extras", "E", "Extra sets of dependencies to include.", flag=False, multiple=True),
        option("all-extras", None, "Include all extra dependencies."),
        *table_options(),
        option("json", None, "Print the result, or the plan, as JSON."),
    ]

    _configured: BuildConfig | None = None

    @property
    def default_groups(self) -> set[str]:
        """What is included when no group is asked for: the main group, and what the configuration says."""
        config = self._configured
        if config is None:
            return {MAIN_GROUP}
        named = set(self.poetry.package.dependency_group_names(include_optional=True)) if config.all_groups else set()
        return named | set(config.groups) | (set() if config.only_groups else {MAIN_GROUP})

    def handle(self) -> int:
        """Run the command and return its exit code."""
        _ = self.poetry  # what is wrong with the project is Poetry's to tell, before anything of ours

        from poetry_pycontainer.report import Report  # noqa: PLC0415 - not for `poetry list`

        report = Report(self.io)
        try:
            with interruptible():
                return self._run(report)
        except GroupNotFoundError as error:
            self.io.write_error_line(f"<error>{error}</>", verbosity=Verbosity.QUIET)
        except (CleoError, PoetryError):
            raise
        except KeyboardInterrupt:
            leave()
        except Exception as error:  # the last line of defence: no traceback reaches a user
            if os.environ.get("PYCONTAINER_DEBUG") == "1":
                raise
            known = foreseen(error)
            if self.option("json"):
                self._print(error_json(known, spell=flag))
            report.fail(known)
            return exit_codes.exit_code(known)
        return exit_codes.FAILED

    def _run(self, report: Report) -> int:
        from pycontainer.events import Noted, Warned  # noqa: PLC0415 - the core, not for `poetry list`

        loaded = self._load()
        for warning in loaded.warnings:
            report(Warned(message=warning))
        config = self._chosen(loaded.config)
        builder = self._builder(config, report)
        if config.dry_run:
            with report.live(wanted=config.progress):
                plan = builder.plan()
            self._print(plan.to_json() if self.option("json") else plan.describe())
            return exit_codes.OK
        package = self.poetry.package
        self._tell(f"Building an image of <c1>{package.pretty_name}</c1> (<c2>{package.pretty_version}</c2>)")
        with report.live(wanted=config.progress):
            result = builder.build()
            report(Noted(message=str(result.ledger)))
        self._print(result.to_json() if self.option("json") else "\n".join(dict.fromkeys(result.references)))
        return exit_codes.OK

    def _load(self) -> Loaded:
        from pycontainer.config.load import load_config  # noqa: PLC0415 - the core, not for `poetry list`
        from pycontainer.config.sources import from_flags  # noqa: PLC0415 - as above
        from pycontainer.frontend.passwords import with_password  # noqa: PLC0415 - as above

        given = given_options(self.option)
        flags = from_flags({**given, "context_path": [str(self.poetry.file.path.parent)]})
        if given.get("password_stdin"):
            flags = with_password(flags, sys.stdin.buffer)
        return load_config(flags, environment=os.environ)

    def _builder(self, config: BuildConfig, report: Report) -> ImageBuilder:
        from poetry_pycontainer.indexes import poetry_indexes  # noqa: PLC0415 - the core, not for `poetry list`
        from poetry_pycontainer.lock import read_lock  # noqa: PLC0415 - as above
        from poetry_pycontainer.project import PoetryProject  # noqa: PLC0415 - as above
        from pycontainer.builder import ImageBuilder  # noqa: PLC0415 - as above

        lock = read_lock(self.poetry, own_index=config.index_url is None) if config.include_deps else None
        return ImageBuilder(
            config,
            adapt=lambda found: PoetryProject(found, poetry=self.poetry, locked=lock, emit=report),
            indexes=poetry_indexes(self.poetry, emit=report),
            emit=report,
        )

    def _chosen(self, config: BuildConfig) -> BuildConfig:
        """The configuration with the groups and extras that are chosen.

        Raises:
            LockError: One that the project does not have.
            ConfigError: Choices that contradict each other, or say nothing here.
        """
        self._check_choices(config)
        self._configured = config
        groups = self.activated_groups
        unknown = sorted(
            group for group in groups - {MAIN_GROUP} if not self.poetry.package.has_dependency_group(group)
        )
        if unknown:
            raise LockError(f"Group(s) not found: {', '.join(unknown)}")
        extras = [extra for text in self.option("extras") for extra in re.split(r"[,\s]+", text) if extra]
        everything = bool(self.option("all-extras")) or (config.all_extras and not extras)
        extras = [] if everything else extras or list(config.extras)
        self._check_extras(extras)
        return replace(
            config,
            extras=tuple(extras),
            all_extras=everything,
            groups=tuple(sorted(groups - {MAIN_GROUP})),
            all_groups=False,
            only_groups=bool(groups) and MAIN_GROUP not in groups,
            include_deps=config.include_deps and bool(groups),
        )

    def _check_choices(self, config: BuildConfig) -> None:
        if self.option("all-extras") and self.option("extras"):
            raise ConfigError("`--extras` and `--all-extras` cannot be used together")
        if self.option("all-groups") and any(self.option(name) for name in ("with", "without", "only")):
            raise ConfigError("`--all-groups` cannot be used with `--with`, `--without` or `--only`")
        if config.lock is not None and config.path(config.lock).resolve() != self.poetry.locker.lock.resolve():
            raise ConfigError("A project of Poetry has `poetry.lock` alone", facts=[f"configured: {config.lock}"])

    def _check_extras(self, extras: Iterable[str]) -> None:
        known = self.poetry.package.extras
        unknown = sorted(extra for extra in extras if canonicalize_name(extra) not in known)
        if unknown:
            have = ", ".join(f"`{extra}`" for extra in sorted(known)) or "none"
            raise LockError(f"Extra [{', '.join(unknown)}] is not specified.", facts=[f"the project has: {have}"])

    def _tell(self, text: str) -> None:
        self.io.write_error_line(text)

    def _print(self, value: object) -> None:
        """What programs read, whatever else is told."""
        import json  # noqa: PLC0415 - only for a result

        from pycontainer.frontend.messages import clean  # noqa: PLC0415 - as above

        text = value if isinstance(value, str) else json.dumps(value, indent=2)
        for line in text.splitlines():
            self.io.write_line(clean(line), verbosity=Verbosity.QUIET, type=Type.RAW)
