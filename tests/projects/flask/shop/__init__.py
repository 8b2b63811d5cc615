"""A shop window."""

from flask import Flask, render_template


def create_app() -> Flask:
    app = Flask(__name__)

    @app.get("/")
    def index() -> str:
        return render_template("index.html", wares=["tea", "bread"])

    return app


app = create_app()
