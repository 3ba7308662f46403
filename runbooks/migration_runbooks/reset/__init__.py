"""`manage.py reset_migrations`: a fresh, minimal history of some apps, on databases that keep every row."""

from __future__ import annotations
