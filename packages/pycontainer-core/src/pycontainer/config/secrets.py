"""Names that say that their value is a secret, which an image must not hold: whoever has it can read it."""

from __future__ import annotations

import re
from typing import Final

_SECRET: Final = re.compile(
    r"(?:^|_)(?:PASS|PASSWD|PASSWORD|PASSPHRASE|PWD|SECRET|SECRETS|TOKEN|CREDENTIALS?|APIKEY|PRIVATE_KEY|API_KEY|"
    r"ACCESS_KEY|SECRET_KEY|AUTH)(?:_|$)",
)
# Names of that form whose values are public: they name a file that holds a secret.
_PUBLIC: Final = re.compile(r"_(?:FILE|PATH|DIR|URL|NAME)$")


def looks_secret(name: str) -> bool:
    """Whether the variable of this name seems to hold a secret: `API_TOKEN` does, `API_TOKEN_FILE` does not."""
    upper = re.sub(r"[.-]", "_", name).upper()
    return _SECRET.search(upper) is not None and _PUBLIC.search(upper) is None
