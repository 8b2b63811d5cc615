"""The JSON Schema (2020-12) of the configuration, made from the table of options.

    configuration_schema()                     # of pycontainer.toml
    configuration_schema("pyproject.toml")     # of [tool.pycontainer] in pyproject.toml

What a pattern can say is said here; `BuildConfig` checks the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

from pycontainer.config.option import Option, Shape
from pycontainer.config.options import OPTIONS
from pycontainer.config.policy import RULES
from pycontainer.config.sources import spellings

if TYPE_CHECKING:
    from collections.abc import Mapping

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_OS_NAME: Final = r"^[a-z0-9][a-z0-9+.-]+$"
_OS_PACKAGE: Final = r"^[a-z0-9][a-z0-9+.-]+(=[A-Za-z0-9][A-Za-z0-9.+~:-]*)?$"
_ONE_LINE: Final = r"^[^\u0000-\u001F\u007F]*$"
_NO_NUL: Final = r"^[^\u0000]*$"
_IMAGE_PATH: Final = r"^/(?!(.*/)?\.\.?(/|$))[^\u0000-\u001F\u007F]*$"
_HOST: Final = r"^([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?$"
_PORT: Final = r"^[1-9][0-9]{0,4}(/(tcp|udp|sctp))?$"
_LICENSE: Final = r"^[A-Za-z0-9.*+-]+( WITH [A-Za-z0-9.*-]+)?$"
_PATHS: Final[Mapping[str, Any]] = {
    "anyOf": [{"type": "string", "minLength": 1}, {"type": "array", "items": {"type": "string", "minLength": 1}}]
}
_USER: Final = r"[A-Za-z_][A-Za-z0-9_.-]{0,31}\$?|[0-9]{1,10}"

# Of one string of the option, where the shape alone says too little.
_PATTERNS: Final[Mapping[str, str]] = {
    "tag": r"^[^\s@]+$",
    "output": r"^((oci|oci-archive|docker-archive):.+|docker|podman)$",
    "platform": r"^[Ll][Ii][Nn][Uu][Xx]/[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)?$",
    "python": r"^\s*[0-9]{1,3}\.[0-9]{1,3}",
    "libc": r"^\s*(glibc|musl)[: -]?[0-9]{1,3}\.[0-9]{1,3}",
    "workdir": _IMAGE_PATH,
    "volumes": _IMAGE_PATH,
    "user": f"^({_USER})(:({_USER}))?$",
    "stop_signal": r"^((SIG)?[A-Z][A-Z0-9]{1,9}([+-][0-9]{1,2})?|[1-9]|[1-5][0-9]|6[0-4])$",
    "include_paths": r"^(?![/\\]|[A-Za-z]:|(.*[/\\])?\.\.([/\\]|$))[^\u0000]+$",
    "exclude_paths": r"^[^\u0000\n]+$",
    "extras": r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$",
    "groups": r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$",
    "package": r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$",
    "lenient_wheels": r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$",
    "build_sdists": r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$",
    "index_url": r"^https?://\S+$",
    "os_packages": _OS_PACKAGE,
    "os_exclude": _OS_NAME,
    "os_allow_upgrades": _OS_NAME,
    "os_unconfigured": _OS_NAME,
    "base_packages": _OS_PACKAGE,
    "os_archive": r"^https?://[^/\s]+(/\S*)?( .+)?$",
    "os_snapshot": r"^https?://\S*\{time\}\S*$",
    "registry": r"^(https://)?[^\s@:/]+(:[0-9]+)?(/[^\s@:]*)?$",
    "cache_registry": r"^[^\s@]+$",
    "username": r"^[^:\u0000-\u001F\u007F]+$",
    "insecure_registries": _HOST,
    "allow_http": _HOST,
    "allowed_indexes": r"^https?://[^\s@]+$",
    "allowed_licenses": _LICENSE,
    "denied_licenses": _LICENSE,
}
_RANGES: Final[Mapping[str, tuple[int, int]]] = {"layer_budget": (1, 127), "jobs": (1, 256)}
# Of a mapping: what its keys and its values look like.
_MAPPINGS: Final[Mapping[str, tuple[str, str]]] = {
    "env": (r"^[A-Za-z_][A-Za-z0-9_.-]*$", _NO_NUL),
    "labels": (r"^[!-<>-~]+$", _ONE_LINE),
    "annotations": (r"^[!-<>-~]+$", _ONE_LINE),
    "mirrors": (_HOST, r"^[^\s@]+(\s*,\s*[^\s@]+)*$"),
    "licenses": (r"^[A-Za-z0-9._-]+$", r"\S"),
    "allowed_files": (r".", r"\S"),
}


def configuration_schema(file: Literal["pycontainer.toml", "pyproject.toml"] = "pycontainer.toml") -> dict[str, Any]:
    """The schema of a whole `pycontainer.toml`, or of the table `[tool.pycontainer]` of a `pyproject.toml`."""
    build, registry, policy = _table("build"), _table("registry"), policy_schema()
    tables = {"build": build, "registry": registry, "policy": {"anyOf": [_PATHS, policy]}}
    if file == "pycontainer.toml":
        return _document("pycontainer.toml", {"properties": tables, "additionalProperties": False})
    top = {"properties": {**build["properties"], **tables}, "additionalProperties": False}
    return _document("[tool.pycontainer] of pyproject.toml", {**top, **_exclusions("build")})


def policy_schema() -> dict[str, Any]:
    """The schema of a table of rules, as in `[policy]` or a file of its own."""
    properties: dict[str, Any] = {"extends": {"description": "A file of rules that are kept too", **_PATHS}}
    for option in RULES.values():
        first, *others = spellings(option)
        properties |= {name: {"description": _sentence(option), **option_schema(option)} for name in (first, *others)}
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _document(title: str, content: Mapping[str, Any]) -> dict[str, Any]:
    return {"$schema": _DIALECT, "title": title, "type": "object", **content}


def _table(name: str) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    for option in OPTIONS.values():
        if not option.in_files or option.table != name:
            continue
        first, *others = spellings(option)
        properties[first] = {"description": _sentence(option), **option_schema(option)}
        for other in others:
            properties[other] = {"description": f"The same as `{first}`", **option_schema(option)}
    return {"type": "object", "properties": properties, "additionalProperties": False, **_exclusions(name)}


def _exclusions(name: str) -> dict[str, Any]:
    """No option may be set in two spellings."""
    groups = [spellings(option) for option in OPTIONS.values() if option.in_files and option.table == name]
    pairs = [(one, other) for group in groups for i, one in enumerate(group) for other in group[i + 1 :]]
    return {"not": {"anyOf": [{"required": list(pair)} for pair in pairs]}} if pairs else {}


def _sentence(option: Option) -> str:
    text = option.help[:1].upper() + option.help[1:]
    return f"{text}. Default: {option.default}" if option.default else text


def option_schema(option: Option) -> dict[str, Any]:  # noqa: PLR0911 - a table, one line a shape
    """The schema of one option's value."""
    text = _text(option)
    match option.shape:
        case Shape.BOOLEAN:
            return {"type": "boolean"}
        case Shape.INTEGER:
            low, high = _RANGES[option.name]
            return {"type": "integer", "minimum": low, "maximum": high}
        case Shape.CHOICE:
            return {"enum": list(option.choices)}
        case Shape.TIME:
            return {"anyOf": [{"type": "integer", "minimum": 0, "maximum": 253402300799}, {"type": "string"}]}
        case Shape.TEXTS | Shape.OUTPUTS:
            return {"anyOf": [_several_in_one(option), {"type": "array", "items": text}]}
        case Shape.WORDS:
            words = {"type": "string", "pattern": _NO_NUL}
            least = {"minItems": 1} if option.name == "entrypoint" else {}
            return {"anyOf": [words, {"type": "array", "items": words, **least}]}
        case Shape.PORTS:
            number = {"type": "integer", "minimum": 1, "maximum": 65535}
            return _one_or_several({"anyOf": [number, {"type": "string", "pattern": _PORT}]})
        case Shape.MAPPING:
            return _mapping(option)
        case Shape.FILES:
            return _one_or_several({"anyOf": [{"type": "string", "pattern": r"^.+:/"}, _FILE]})
        case _:
            return text


def _text(option: Option) -> dict[str, Any]:
    pattern = _PATTERNS.get(option.name)
    return {"type": "string", **({"pattern": pattern} if pattern else {"minLength": 1})}


def _several_in_one(option: Option) -> dict[str, Any]:
    """One string, with commas between values where the option allows that."""
    pattern = _PATTERNS.get(option.name)
    if not option.commas or pattern is None:
        return _text(option)
    one = pattern.removeprefix("^").removesuffix("$")
    return {"type": "string", "pattern": rf"^\s*({one})(\s*,\s*({one}))*\s*$"}


def _one_or_several(item: Mapping[str, Any]) -> dict[str, Any]:
    return {"anyOf": [dict(item), {"type": "array", "items": dict(item)}]}


def _mapping(option: Option) -> dict[str, Any]:
    key, value = _MAPPINGS[option.name]
    text: dict[str, Any] = {"type": "string", "pattern": value}
    values = {"anyOf": [text, {"type": "array", "items": text}]} if option.name == "mirrors" else text
    return {"type": "object", "propertyNames": {"pattern": key}, "additionalProperties": values}


_FILE: Final[Mapping[str, Any]] = {
    "type": "object",
    "properties": {
        "source": {"type": "string", "minLength": 1, "description": "On this host, relative to this file"},
        "destination": {"type": "string", "pattern": _IMAGE_PATH, "description": "In the image, absolute"},
        "mode": {"type": "string", "pattern": "^(0o?)?[0-7]{3,4}$", "description": "Octal permission bits"},
        "owner": {"type": "string", "pattern": "^[0-9]{1,10}(:[0-9]{1,10})?$", "description": "`uid` or `uid:gid`"},
    },
    "required": ["source", "destination"],
    "additionalProperties": False,
}
