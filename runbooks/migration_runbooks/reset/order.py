"""What the command line asks for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Order:
    apps: list[str]
    alias: str = "default"
    carry_over: tuple[str, ...] = ()
    leave_out: tuple[str, ...] = ()
