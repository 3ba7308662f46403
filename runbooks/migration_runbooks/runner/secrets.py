"""Take secrets out of what people and files get to see."""

from __future__ import annotations

import re
from collections.abc import Iterable

URL_PASSWORD = re.compile(r"(://[^\s:/@]*):[^\s@]+@")
HIDDEN = "****"


def hide(text: str, secrets: Iterable[str]) -> str:
    """Replace the secrets, and the password of any URL."""
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    return URL_PASSWORD.sub(rf"\1:{HIDDEN}@", text)
