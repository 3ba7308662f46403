"""Put a reader's paths and names in the place of those that belong to one sandbox."""

from __future__ import annotations

from pathlib import Path

PROJECT = "/srv/acharya"


def as_readers_see(output: str, sandbox) -> str:
    """Return what a block printed as it is the same in every sandbox, so that a page can show it."""
    masks = _masks(sandbox)
    for found in sorted(masks, key=len, reverse=True):
        output = output.replace(found, masks[found])
    return output


def _masks(sandbox) -> dict[str, str]:
    environment = sandbox.environment
    masks = {
        str(sandbox.project): PROJECT,
        str(Path(sandbox.project).resolve()): PROJECT,
        environment.get("PGHOST", ""): "/run/postgresql",
        environment.get("VIRTUAL_ENV", ""): "/srv/venv",
        environment.get("HOME", ""): "/home/reader",
        _database_name(environment): "acharya",
    }
    return {found: mask for found, mask in masks.items() if len(found) > 1}


def _database_name(environment: dict[str, str]) -> str:
    """The name of the sandbox's own database on a server; SQLite's is a path."""
    address = environment.get("DATABASE_URL", "")
    return "" if address.startswith("sqlite") else address.partition("?")[0].rpartition("/")[2]
