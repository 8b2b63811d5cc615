"""A shelf of books."""

from importlib.metadata import version

from flask import Flask

app = Flask(__name__)


@app.get("/")
def index() -> str:
    return f"shelf {version('shelf')}: Momo, Emil"
