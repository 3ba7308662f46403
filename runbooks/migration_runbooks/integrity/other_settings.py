"""Other settings for a while. Django's own override_settings lies beside its test client, and takes longer to import than most checks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import UserSettingsHolder, settings


@contextmanager
def other_settings(**values: Any) -> Iterator[None]:
    before = settings._wrapped
    holder = UserSettingsHolder(before)
    for name, value in values.items():
        setattr(holder, name, value)
    settings._wrapped = holder
    try:
        yield
    finally:
        settings._wrapped = before
