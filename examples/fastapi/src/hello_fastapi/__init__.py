"""Says hello over HTTP."""

import os
import platform

from fastapi import FastAPI

app = FastAPI(title="Hello")


@app.get("/")
def hello(name: str = "world") -> dict[str, str]:
    """Greet somebody, and tell what runs this."""
    return {"message": f"Hello, {name}!", "python": platform.python_version(), "machine": platform.machine()}


@app.get("/whoami")
def whoami() -> dict[str, int]:
    """Tell which user runs this: not root."""
    return {"uid": os.getuid()}
