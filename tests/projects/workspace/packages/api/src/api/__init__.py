"""An application that uses its sibling in the workspace."""

from greeting import greet
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route


def index(request: Request) -> PlainTextResponse:
    return PlainTextResponse(greet(request.query_params.get("name", "workspace")))


app = Starlette(routes=[Route("/", index)])
