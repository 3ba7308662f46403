"""Where the tests stop a script: while `.pause-<place>` exists it waits there and shows `.at-<place>`."""

from __future__ import annotations

import time
from pathlib import Path


def pause(place: str) -> None:
    if Path(f".pause-{place}").exists():
        Path(f".at-{place}").touch()
        while Path(f".pause-{place}").exists():
            time.sleep(0.02)
