from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from pycontainer.config import BuildConfig, Policy
from pycontainer.config.load import Loaded, load_config
from pycontainer.config.policy import RULES
from pycontainer.config.schema import configuration_schema, policy_schema
from pycontainer.config.sources import from_flags
from pycontainer.errors import ConfigError

# Of every rule a value that asks for something.
ASKED: dict[str, Any] = {
    "pinned-base": True,
    "allowed-bases": ["python:*"],
    "require-hashes": True,
    "no-sdists": True,
    "allowed-indexes": ["https://index.example/simple"],
    "require-https": True,
    "allowed-licenses": ["MIT", "GPL-2.0-only WITH Classpath-exception-2.0"],
    "denied-licenses": ["AGPL-*"],
    "licenses": {"demo": "MIT OR Apache-2.0"},
    "non-root": True,
    "no-secrets": True,
    "forbidden-files": ["*.pem"],
    "allowed-files": {"tests/key.pem": "a key of the tests"},
    "allow-exceptions": True,
}
REFUSED: dict[str, Any] = {
    "pinned-base": "yes",
    "allowed-bases": [],
    "allowed-indexes": ["index.example"],
    "allowed-licenses": ["MIT OR Apache-2.0"],
    "denied-licenses": ["a license"],
    "licenses": {"demo": ""},
    "allowed-files": {"tests/key.pem": " "},
    "forbidden-files": [1],
    "no-such-rule": True,
}


def load(root: Path, flags: Mapping[str, Any] | None = None, environment: Mapping[str, str] | None = None) -> Loaded:
    given = from_flags({"context_path": [str(root)], **(flags or {})})
    return load_config(given, environment=environment or {}, directory=root)


def test_every_rule_has_a_field_and_a_sample() -> None:
    assert set(Policy.__struct_fields__) == {*RULES, "origin"}
    assert ASKED.keys() == {rule.toml_key for rule in RULES.values()}


def test_the_schema_is_one_of_its_dialect() -> None:
    jsonschema.Draft202012Validator.check_schema(policy_schema())


@pytest.mark.parametrize("key", ASKED)
@pytest.mark.parametrize("spell", [str, lambda key: key.replace("-", "_")], ids=["hyphens", "underscores"])
def test_a_rule_is_taken_by_the_policy_and_by_the_schema(key: str, spell: Callable[[str], str]) -> None:
    table = {spell(key): ASKED[key]}
    rules = Policy.of(table).rules()
    assert {name: list(value) if isinstance(value, tuple) else value for name, value in rules.items()} == {
        key: ASKED[key]
    }
    jsonschema.Draft202012Validator(policy_schema()).validate(table)
    jsonschema.Draft202012Validator(configuration_schema()).validate({"policy": table})


@pytest.mark.parametrize("key", REFUSED)
def test_a_malformed_rule_is_told_by_its_name(key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Policy.of({key: REFUSED[key]}, origin="org.toml")
    assert key in str(caught.value)
    assert "policy: org.toml" in caught.value.facts


def test_all_malformed_rules_are_told_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        Policy.of({"pinned-base": 1, "allowed-indexes": ["x"]})
    assert [fact.partition(":")[0] for fact in caught.value.facts] == ["pinned-base", "allowed-indexes", "policy"]


def test_policies_of_all_sources_add_up_and_none_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "org.toml").write_text("[policy]\nno-sdists = true\n")
    (tmp_path / "ci.toml").write_text("non-root = true\n")
    (tmp_path / "more.toml").write_text("require-https = true\n")
    (tmp_path / "pycontainer.toml").write_text('[policy]\nextends = "org.toml"\nno-secrets = true\n')
    (tmp_path / "pyproject.toml").write_text("[tool.pycontainer.policy]\nno-sdists = false\npinned-base = true\n")
    loaded = load(
        tmp_path, {"policy": [str(tmp_path / "more.toml")]}, {"PYCONTAINER_POLICY": str(tmp_path / "ci.toml")}
    )
    found = {policy.origin: policy.rules() for policy in loaded.config.policies}
    assert found == {
        "tool.pycontainer.policy in pyproject.toml": {"pinned-base": True},
        "org.toml": {"no-sdists": True},
        "policy in pycontainer.toml": {"no-secrets": True},
        "ci.toml": {"non-root": True},
        "more.toml": {"require-https": True},
    }


def test_a_policy_may_be_a_path_in_a_file_relative_to_that_file(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "policy.toml").write_text('extends = "base.toml"\nnon-root = true\n')
    (tmp_path / "shared" / "base.toml").write_text("no-sdists = true\n")
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "pyproject.toml").write_text('[tool.pycontainer]\npolicy = "../shared/policy.toml"\n')
    assert [policy.origin for policy in load(tmp_path / "project").config.policies] == ["base.toml", "policy.toml"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ('extends = "org.toml"\n', "in circles"),
        ("[build]\nuser = '1'\n", "`build` is not a rule"),
        ("[policy]\nnon-root = true\n[build]\n", "is not a policy"),
        ("non-root = maybe", "cannot be read"),
        (None, "cannot be read"),
    ],
)
def test_a_file_that_is_no_policy_is_told_with_its_place(content: str | None, told: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "org.toml").write_text(content)
    (tmp_path / "pycontainer.toml").write_text('policy = "org.toml"\n[build]\nuser = "-1"\n')
    with pytest.raises(ConfigError) as caught:
        load(tmp_path)
    assert told in str(caught.value)
    assert "policy in pycontainer.toml" in str(caught.value)
    assert "`-1` is not a user" in str(caught.value), "the other mistakes are told, too"


def test_a_program_gives_policies_as_values() -> None:
    assert BuildConfig(policy=Policy(non_root=True)).policies == (Policy(non_root=True),)
    assert BuildConfig(policy={"non-root": True}).policies == (Policy(non_root=True),)
    assert BuildConfig().policies == ()
    with pytest.raises(ConfigError, match="wrong type"):
        BuildConfig(policy="policy.toml")  # type: ignore[arg-type] # reading files is the front ends'
