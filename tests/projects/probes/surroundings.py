"""What the standard library finds around it: user, encodings, time zones, certificates, libraries, temporary files."""

import ctypes
import ctypes.util
import datetime
import getpass
import json
import locale
import os
import socket
import sqlite3
import ssl
import subprocess
import sys
import sysconfig
import tempfile
import zoneinfo

ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Etc/UTC", "UTC")
SUMMER = datetime.datetime(2026, 7, 1, 12)


def offset(zone):
    return SUMMER.replace(tzinfo=zoneinfo.ZoneInfo(zone)).utcoffset().total_seconds() / 3600


locale.setlocale(locale.LC_ALL, "C.UTF-8")
with tempfile.NamedTemporaryFile() as file:
    temporary = os.path.dirname(file.name)
child = subprocess.run([sys.executable, "-c", "print('käse')"], capture_output=True, check=True)
print(
    json.dumps(
        {
            "uid": os.getuid(),
            "user": getpass.getuser(),
            "home": os.path.expanduser("~"),
            "encodings": [sys.getfilesystemencoding(), sys.stdout.encoding, locale.getpreferredencoding()],
            "child": child.stdout.decode(),
            "zones": {zone: offset(zone) for zone in ZONES},
            "many_zones": len(zoneinfo.available_timezones()),
            "authorities": len(ssl.create_default_context().get_ca_certs()),
            "tls": ssl.OPENSSL_VERSION,
            "libraries": {name: ctypes.util.find_library(name) for name in ("c", "ssl", "stdc++", "z")},
            "c++": bool(ctypes.CDLL("libstdc++.so.6")),
            "sqlite": sqlite3.connect(":memory:").execute("select 6 * 7").fetchone()[0],
            "localhost": socket.gethostbyname("localhost"),
            "https": socket.getservbyname("https"),
            "tcp": socket.getprotobyname("tcp"),
            "temporary": temporary,
            "bytecode": os.path.exists(os.path.join(sysconfig.get_path("stdlib"), "__pycache__")),
        }
    )
)
