"""The Django app: `INSTALLED_APPS += ["migration_runbooks"]` brings the management commands, and no model."""

from __future__ import annotations

from django.apps import AppConfig


class MigrationRunbooks(AppConfig):
    name = "migration_runbooks"
    verbose_name = "Migration runbooks"
