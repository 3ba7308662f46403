"""Settings of the lending library. LIBRARY_DB_ENGINE, _NAME, _HOST and _USER name another database than the default."""

from __future__ import annotations

import os
from pathlib import Path

import pymysql

pymysql.install_as_MySQLdb()

BASE_DIR = Path(__file__).resolve().parent.parent
SECRET_KEY = "a lending library that nobody can reach"
DEBUG = True
USE_TZ = True

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "catalog",
    "loans",
]

DATABASES = {
    "default": {
        "ENGINE": f"django.db.backends.{os.environ.get('LIBRARY_DB_ENGINE', 'sqlite3')}",
        "NAME": os.environ.get("LIBRARY_DB_NAME", BASE_DIR / "db.sqlite3"),
        "HOST": os.environ.get("LIBRARY_DB_HOST", ""),
        "USER": os.environ.get("LIBRARY_DB_USER", ""),
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
