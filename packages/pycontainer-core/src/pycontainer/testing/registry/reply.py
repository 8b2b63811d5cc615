"""What a fake registry answers."""

from __future__ import annotations

import json
from dataclasses import dataclass, field


@dataclass(kw_only=True, slots=True)
class Reply:
    """Status, headers and body."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


def error_reply(status: int, code: str, message: str = "", **headers: str) -> Reply:
    """An error in the form of the distribution-spec, *Error Codes*."""
    body = json.dumps({"errors": [{"code": code, "message": message or code.lower().replace("_", " ")}]}).encode()
    return Reply(status=status, headers={"Content-Type": "application/json", **headers}, body=body)
