from __future__ import annotations

import os
from pathlib import Path

from pause import pause

if "BACKUP_DIR" in os.environ:
    pause("backup")

SECRET_KEY = "sample"
INSTALLED_APPS = ["notes"]
FILE = Path(__file__).with_name("notes.sqlite3")
DATABASES = {
    "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": FILE, "PASSWORD": os.environ["NOTES_PASSWORD"]},
    "other": {"ENGINE": "django.db.backends.sqlite3", "NAME": FILE.with_name("other.sqlite3")},
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
