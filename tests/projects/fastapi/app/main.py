"""The application: `app.main:app`."""

from __future__ import annotations

from fastapi import FastAPI, HTTPException

from app.store import Order, find

app = FastAPI(title="Orders")


@app.get("/")
def index() -> dict[str, str]:
    return {"message": "hello from fastapi"}


@app.get("/orders/{number}")
def order(number: int) -> Order:
    found = find(number)
    if found is None:
        raise HTTPException(status_code=404, detail="no such order")
    return found
