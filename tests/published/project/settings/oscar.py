"""Oscar: a shop."""

from __future__ import annotations

from oscar import INSTALLED_APPS as OSCAR_APPS
from oscar.defaults import *  # noqa: F403

from settings.common import *  # noqa: F403
from settings.common import DJANGO_APPS

HAYSTACK_CONNECTIONS = {"default": {"ENGINE": "haystack.backends.simple_backend.SimpleEngine"}}
INSTALLED_APPS = [*DJANGO_APPS, *(app for app in OSCAR_APPS if app not in DJANGO_APPS)]
