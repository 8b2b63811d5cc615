"""Bills of materials, judged by the formats' own validators and by what those do not see."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL
from spdx_tools.spdx.parser.parse_anything import parse_file
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

if TYPE_CHECKING:
    from pathlib import Path


def check_spdx(path: Path) -> None:
    # The validator wants hosts to have names, which the specification does not.
    named = path.with_name("named.spdx.json")
    named.write_text(re.sub(r"http://127\.0\.0\.1:\d+", "https://index.example", path.read_text()))
    assert not [message.validation_message for message in validate_full_spdx_document(parse_file(str(named)))]


def check_cyclonedx(path: Path) -> None:
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(path.read_text()) is None


VALIDATORS = {"spdx": check_spdx, "cyclonedx": check_cyclonedx}


def nodes_and_edges(document: dict[str, Any]) -> tuple[str, dict[str, str], list[tuple[str, str]]]:
    """Either format as a graph: its root, purls by identifier, edges."""
    if "spdxVersion" in document:
        purls = {item["SPDXID"]: item["externalRefs"][0]["referenceLocator"] for item in document["packages"]}
        edges = [(item["spdxElementId"], item["relatedSpdxElement"]) for item in document["relationships"]]
        return "SPDXRef-DOCUMENT", purls, edges
    image = document["metadata"]["component"]
    purls = {item["bom-ref"]: item["purl"] for item in (image, *document["components"])}
    edges = [(item["ref"], other) for item in document["dependencies"] for other in item["dependsOn"]]
    return image["bom-ref"], purls, edges


def check_sound(path: Path) -> list[PackageURL]:
    """What validators do not see: no edge into nothing, no part without one, canonical and distinct purls."""
    root, purls, edges = nodes_and_edges(json.loads(path.read_text()))
    assert {end for edge in edges for end in edge} <= {root, *purls}
    reached, rim = set(), {root}
    while rim:
        reached |= rim
        rim = {end for start, end in edges if start in rim} - reached
    assert reached == {root, *purls}
    parsed = [PackageURL.from_string(purl) for purl in purls.values()]
    assert [purl.to_string() for purl in parsed] == list(purls.values())
    assert len(set(parsed)) == len(parsed)
    return parsed
