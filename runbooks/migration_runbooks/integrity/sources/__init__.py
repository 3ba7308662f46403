"""The four sources, each read on its own: one that can't be read does not hide what the others tell."""

from __future__ import annotations
