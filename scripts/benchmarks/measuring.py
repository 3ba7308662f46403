"""Seconds of something, measured in turn with its reference, so that a busy machine slows both."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median
from typing import TypeVar

T = TypeVar("T")


@dataclass
class Measured:
    """What several runs of one thing took."""

    seconds: list[float] = field(default_factory=list)

    def run(self, work: Callable[[], T]) -> T:
        """Do the work, note its seconds, and return what it returned."""
        begin = time.perf_counter()
        result = work()
        self.seconds.append(time.perf_counter() - begin)
        return result

    @property
    def least(self) -> float:
        return min(self.seconds)

    def __str__(self) -> str:
        return f"{self.least:.3f} / {median(self.seconds):.3f}"

    def ratio(self, reference: Measured) -> str:
        """Return how many times the reference it takes, least against least: what disturbs a run only makes it longer."""
        return f"{self.least / reference.least:.2f}"


def in_turn(repeat: int, *works: Callable[[], object]) -> list[Measured]:
    """Run each work once in every round, and return what each took."""
    measured = [Measured() for _ in works]
    for _ in range(repeat):
        for work, one in zip(works, measured, strict=True):
            one.run(work)
    return measured
