"""One HTTP client for registries and package indexes: pooled, streaming, bounded, careful with credentials.

http = HttpClient()
with http.request("GET", "https://index.example/simple/numpy/") as response:
    page = response.content(limit=4 << 20)
"""

from pycontainer.transports.http.client import HttpClient
from pycontainer.transports.http.response import Headers, Response
from pycontainer.transports.http.retries import RetryPolicy
from pycontainer.transports.http.settings import HttpSettings, Timeouts
from pycontainer.transports.http.urls import Origin

__all__ = ["Headers", "HttpClient", "HttpSettings", "Origin", "Response", "RetryPolicy", "Timeouts"]
