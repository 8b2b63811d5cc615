from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycontainer.sources.wheels.license import declared_license, license_expression

DECLARED = {
    "License-Expression: mit or apache-2.0\nLicense: GPL\n": "MIT OR Apache-2.0",
    "License: Apache-2.0\n": "Apache-2.0",
    "License: BSD\n": "BSD",
    "License: BSD\nClassifier: License :: OSI Approved :: ISC License (ISCL)\n": "ISC",
    "Classifier: License :: OSI Approved\nClassifier: License :: OSI Approved :: MIT License\n": "MIT",
    "Classifier: License :: OSI Approved\n": None,
    "Classifier: License :: Other/Proprietary License\n": "Other/Proprietary License",
    "Classifier: License :: OSI Approved :: MIT License\nClassifier: License :: Public Domain\n": (
        "MIT License, Public Domain"
    ),
    "License: UNKNOWN\n": None,
    "License:\n": None,
    "License: Copyright me\n        All rights reserved\nLicense-File: LICENSE\n": None,
    "License: " + "x" * 201 + "\n": None,
    "License: red\x1b[31m\n": None,
    "Summary: x\n\nLicense: MIT\n": None,
    "Summary: x\r\nLicense: MIT\r\n\r\nLicense: ISC\r\n": "MIT",
}


@pytest.mark.parametrize("metadata", DECLARED)
def test_the_licence_is_what_the_metadata_declares(metadata: str) -> None:
    assert declared_license(f"Metadata-Version: 2.4\nName: demo\n{metadata}".encode()) == DECLARED[metadata]


@given(st.binary(max_size=300), st.sampled_from([b"License-Expression: ", b"License: ", b"Classifier: License :: "]))
def test_no_licence_breaks_a_build_or_stands_in_more_than_a_line(content: bytes, field: bytes) -> None:
    found = declared_license(field + content)

    assert found is None or (found.isprintable() and 0 < len(found) <= 200)


@pytest.mark.parametrize("text", ["(" * 99 + "MIT" + ")" * 99, "MIT AND", "AND", "()", "MIT WITH", "__import__('os')"])
def test_what_is_no_expression_is_none_or_a_plain_one(text: str) -> None:
    assert license_expression(text) in (None, text)
