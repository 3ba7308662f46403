from __future__ import annotations

from django.apps import AppConfig


class FeesConfig(AppConfig):
    name = "fees"
