"""Which files of a project stay out of the image.

Rules are read in this order and the last one that matches decides, as in every ignore file:

1. the safe defaults below: secrets, version control, environments, caches;
2. the first of `.containerignore`, `.dockerignore` (Docker's rules) and `.gitignore` (git's, with those of folders);
3. the option `exclude_paths`.

So `!.env.example` in an ignore file brings back what a default took away.

    IgnoreRules.of(root, exclude=["docs/"]).excludes("docs/index.md")
"""

from __future__ import annotations

import re
from functools import cache, cached_property, lru_cache
from typing import TYPE_CHECKING, Final

from pycontainer.errors import ProjectError
from pycontainer.value import Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from pycontainer.sources.files.verdicts import Rules, Verdicts

# Secrets first: a file that leaks is worse than one that is missing. Then what no image needs; a lock is in the image
# already, as packages, and its addresses are nobody's business there.
SAFE_DEFAULTS: Final = (
    ".env",
    ".env.*",
    "*.pem",
    "*.key",
    "*.p12",
    "*.pfx",
    "*.jks",
    "*.keystore",
    "*.kdbx",
    "id_rsa*",
    "id_dsa*",
    "id_ecdsa*",
    "id_ed25519*",
    ".netrc",
    "_netrc",
    ".pypirc",
    ".npmrc",
    ".pgpass",
    ".htpasswd",
    ".git-credentials",
    ".aws/",
    ".azure/",
    ".gcloud/",
    ".ssh/",
    ".gnupg/",
    ".docker/",
    ".kube/",
    "*.tfstate",
    "*.tfstate.*",
    ".git",
    ".hg/",
    ".svn/",
    ".gitignore",
    ".gitattributes",
    ".gitmodules",
    ".dockerignore",
    ".containerignore",
    ".venv/",
    "venv/",
    "node_modules/",
    ".poetry/",
    "__pycache__/",
    "*.py[cod]",
    "*.egg-info/",
    ".eggs/",
    ".tox/",
    ".nox/",
    ".cache/",
    ".mypy_cache/",
    ".ruff_cache/",
    ".pytest_cache/",
    ".hypothesis/",
    ".ipynb_checkpoints/",
    ".coverage",
    ".coverage.*",
    "htmlcov/",
    "/build/",
    "/dist/",
    "uv.lock",
    "poetry.lock",
    "pdm.lock",
    "pylock.toml",
    "pylock.*.toml",
    "pycontainer.lock",
    ".idea/",
    ".vscode/",
    ".github/",
    ".DS_Store",
    "Thumbs.db",
)

_DOCKER_STYLE = (".containerignore", ".dockerignore")
_GIT_STYLE = ".gitignore"


class _Rules(Value, frozen=True):
    """The rules of one file: they speak of paths below `base` (with a trailing slash, or empty)."""

    base: str
    rules: Rules

    def verdict(self, path: str) -> bool | None:
        if not path.startswith(self.base):
            return None
        return self.rules.includes(path[len(self.base) :])


class IgnoreRules:
    """The rules of one project. Paths are relative to its root, with `/`; a folder ends with `/`."""

    def __init__(
        self, root: Path, *, exclude: Sequence[str] = (), ignore_file: str | None = None, memory: Path | None = None
    ) -> None:
        self._root = root
        self._memory = memory
        self._git = ignore_file == _GIT_STYLE
        self._ignore: list[_Rules] = []
        if ignore_file and not self._git:
            self._ignore.append(self._rules("", _from_docker(_read_lines(root / ignore_file))))
        self._last = [self._rules("", exclude)] if exclude else []

    @classmethod
    def of(cls, root: Path, *, exclude: Sequence[str] = (), memory: Path | None = None) -> IgnoreRules:
        """The rules of the project at `root`.

        Args:
            root: Its directory.
            exclude: Rules that go before those of files.
            memory: The folder in which `keep` remembers what was asked; none where nothing is kept.

        Raises:
            ProjectError: An ignore file that is not text, or a pattern that cannot be read.
        """
        names = (*_DOCKER_STYLE, _GIT_STYLE)
        ignore_file = next((name for name in names if (root / name).is_file()), None)
        return cls(root, exclude=exclude, ignore_file=ignore_file, memory=memory)

    def enter(self, folder: str) -> None:
        """Read the `.gitignore` of a folder before its files are judged; `folder` is empty or ends with `/`."""
        path = self._root / folder / _GIT_STYLE
        if self._git and path.is_file():
            self._ignore.append(self._rules(folder, _read_lines(path)))

    def excludes(self, path: str) -> bool:
        """Whether the file or folder stays out."""
        for rules in (*self._last, *reversed(self._ignore)):
            verdict = rules.verdict(path)
            if verdict is not None:
                return verdict
        is_folder = path.endswith("/")
        folder, _, name = (path[:-1] if is_folder else path).rpartition("/")
        return _is_unsafe(name, top=not folder, is_folder=is_folder) or _lies_in_unsafe(folder)

    @property
    def may_return(self) -> bool:
        """Whether some rule brings files back, so that excluded folders must be looked into all the same."""
        return any(each.rules.bring_back for each in self._ignore)

    def keep(self) -> None:
        """Remember what was asked, so that the next build need not ask pathspec.

        Raises:
            StoreError: The disk does not take it.
        """
        if self._ignore or self._last:
            self._verdicts.keep()

    def _rules(self, base: str, lines: Sequence[str]) -> _Rules:
        return _Rules(base, self._verdicts.rules(lines))

    @cached_property
    def _verdicts(self) -> Verdicts:
        from pycontainer.sources.files.verdicts import Verdicts  # noqa: PLC0415 - only where there are rules

        return Verdicts(self._memory, self._root)


@lru_cache(maxsize=4096)
def _lies_in_unsafe(folder: str) -> bool:
    """Whether a default takes away the folder, or one above it."""
    above, _, name = folder.rpartition("/")
    return bool(name) and (_is_unsafe(name, top=not above, is_folder=True) or _lies_in_unsafe(above))


def _is_unsafe(name: str, *, top: bool, is_folder: bool) -> bool:
    return _safe_defaults(top=top, is_folder=is_folder).fullmatch(name) is not None


@cache
def _safe_defaults(*, top: bool, is_folder: bool) -> re.Pattern[str]:
    """The safe defaults for one name as one expression, which is quicker to make than one each, and needs no import.

    They are of the plainest kind: a name, with `*` and sets of characters, a slash behind it where it means folders
    only and one before it where it means the root only.
    """
    patterns = [
        pattern.strip("/")
        for pattern in SAFE_DEFAULTS
        if (top or not pattern.startswith("/")) and (is_folder or not pattern.endswith("/"))
    ]
    return re.compile("|".join(pattern.replace(".", r"\.").replace("*", ".*") for pattern in patterns), re.DOTALL)


def _read_lines(path: Path) -> list[str]:
    try:
        return path.read_text("utf-8-sig").splitlines()
    except (OSError, ValueError) as error:
        raise ProjectError(f"`{path.name}` cannot be read", facts=[f"file: {path}", str(error)]) from error


def _from_docker(lines: Iterable[str]) -> list[str]:
    """Docker's patterns as git's: anchored at the root, `**/` for any depth, a trailing slash without meaning."""
    patterns = []
    for line in lines:
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        negated = text.startswith("!")
        text = text.lstrip("!").strip().strip("/").removeprefix("./")
        if text and text != ".":
            patterns.append(f"{'!' if negated else ''}/{text}")
    return patterns
