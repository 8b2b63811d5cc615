"""Options: one table that the command, files, environment variables and every plugin read, and what they make.

config = BuildConfig(tag="myapp:latest", env={"PORT": "8080"})
config = load_config(environment=os.environ).config      # of pycontainer.config.load
"""

from pycontainer.config.build_config import BuildConfig
from pycontainer.config.option import Group, Option, Origin, Shape
from pycontainer.config.options import OPTIONS
from pycontainer.config.policy import Policy
from pycontainer.config.values import ExtraFile, Output, Port

__all__ = ["OPTIONS", "BuildConfig", "ExtraFile", "Group", "Option", "Origin", "Output", "Policy", "Port", "Shape"]
