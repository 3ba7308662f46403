"""What the published projects share: Django's own apps, and a database that PUBLISHED_DB_ENGINE, _NAME, _HOST and _USER name."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

import pymysql

pymysql.install_as_MySQLdb()

BASE_DIR = Path(__file__).resolve().parent.parent
SECRET_KEY = "no one can reach these projects"
DEBUG = True
USE_TZ = True
SITE_ID = 1
ROOT_URLCONF = "urls"
STATIC_URL = "/static/"
MEDIA_ROOT = BASE_DIR / "media"
MEDIA_URL = "/media/"
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"

DJANGO_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.sites",
    "django.contrib.flatpages",
    "django.contrib.humanize",
    "django.contrib.staticfiles",
    "migration_runbooks",
]
if os.environ["PUBLISHED_DB_ENGINE"] == "postgresql":
    DJANGO_APPS.append("django.contrib.postgres")
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                *(["sekizai.context_processors.sekizai"] if find_spec("sekizai") else []),
            ],
        },
    },
]
DATABASES = {
    "default": {
        "ENGINE": f"django.db.backends.{os.environ['PUBLISHED_DB_ENGINE']}",
        **{name: os.environ.get(f"PUBLISHED_DB_{name}", "") for name in ("NAME", "HOST", "USER")},
    }
}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
