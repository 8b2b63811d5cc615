"""The command `weather`."""

from importlib.metadata import version
from importlib.resources import files

import click


@click.command()
@click.argument("city", default="Berlin")
def main(city: str) -> None:
    """Tell the weather of a city."""
    forecast = files("weather").joinpath("forecast.txt").read_text(encoding="utf-8").strip()
    click.echo(f"weather {version('weather')}: {city} is {forecast}")
