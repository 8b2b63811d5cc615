"""Orders, read from a data file that lies beside the code."""

from __future__ import annotations

import json
from importlib.resources import files

from pydantic import BaseModel


class Order(BaseModel):
    number: int
    item: str


def find(number: int) -> Order | None:
    rows = json.loads(files("app").joinpath("orders.json").read_text(encoding="utf-8"))
    return next((Order(**row) for row in rows if row["number"] == number), None)
