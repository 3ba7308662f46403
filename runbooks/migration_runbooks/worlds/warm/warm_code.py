"""What the server of warm starts has loaded before it forks: Django's code and ours, and nothing of a project."""

from __future__ import annotations

import contextlib
import gc
import importlib
import ssl
from importlib.machinery import SourceFileLoader
from pathlib import Path

# What every command of Django loads, but nothing that needs settings: those are the project's.
CODE = [
    "click", "code", "difflib", "dj_database_url", "django.conf.urls", "django.contrib.admin.apps",
    "django.contrib.admin.options", "django.contrib.admin.templatetags.base", "django.contrib.admin.views.main",
    "django.contrib.auth.apps", "django.contrib.auth.checks", "django.contrib.auth.hashers",
    "django.contrib.auth.management", "django.contrib.auth.management.commands.createsuperuser",
    "django.contrib.auth.tokens", "django.contrib.auth.validators", "django.contrib.contenttypes.apps",
    "django.contrib.contenttypes.checks", "django.contrib.contenttypes.management", "django.contrib.messages.apps",
    "django.contrib.messages.middleware", "django.contrib.sessions.apps", "django.contrib.sessions.backends.base",
    "django.contrib.sessions.exceptions", "django.contrib.sessions.management",
    "django.contrib.sessions.middleware", "django.contrib.sites.requests", "django.contrib.sites.shortcuts",
    "django.contrib.staticfiles.finders", "django.core.cache.backends.locmem", "django.core.cache.utils",
    "django.core.management.commands.makemigrations", "django.core.management.commands.migrate",
    "django.core.management.commands.shell", "django.core.management.commands.showmigrations",
    "django.core.management.commands.sqlmigrate", "django.db.backends.postgresql.base",
    "django.db.backends.sqlite3.base", "django.db.migrations.autodetector", "django.db.migrations.executor",
    "django.db.migrations.writer", "django.forms", "django.middleware.common", "django.middleware.security",
    "django.template.backends.django", "django.templatetags.cache", "django.templatetags.l10n",
    "django.templatetags.tz", "django.test.utils", "django.urls", "django.utils.translation.reloader", "django.views.csrf",
    "django.views.debug", "django.views.defaults", "hashlib", "json", "logging.config", "pymysql", "sqlite3",
    "subprocess", "unittest",
]
LATER = [*(f"contrib/{app}" for app in ("admin", "auth", "contenttypes", "messages", "sessions")), "db/backends/mysql"]
SELDOM = (1_000_000, 50, 100)
"""Thresholds for `gc`: a process that ends soon need hardly look for garbage in cycles, which takes a tenth of its time."""


def load() -> None:
    for name in CODE:
        with contextlib.suppress(ImportError):  # a driver that this machine lacks
            importlib.import_module(name)
    # PyMySQL loads the machine's certificates for each connection, for one to a socket too: a third of a short command.
    ssl.SSLContext.load_default_certs = lambda self, purpose=None: None
    keep_code()
    gc.set_threshold(*SELDOM)
    gc.collect()
    gc.freeze()  # children share these pages until they write to them


def keep_code() -> None:
    """Read the code of the modules that only a project can load, Django's and ours, so that no process reads it again."""
    import django

    code = {}
    read = SourceFileLoader.get_code
    for folder in (*(Path(django.__path__[0], folder) for folder in LATER), Path(__file__).parents[2]):
        for file in folder.rglob("*.py"):
            code[str(file)] = read(SourceFileLoader(file.stem, str(file)), file.stem)
    SourceFileLoader.get_code = lambda self, name: code.get(self.path) or read(self, name)
