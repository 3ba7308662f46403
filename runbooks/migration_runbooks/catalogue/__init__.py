"""What there is: the errors and the runbooks, read from their TOML files. Nothing here imports Django."""

from __future__ import annotations
