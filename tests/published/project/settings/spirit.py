"""Spirit: a forum."""

from __future__ import annotations

from settings.common import *  # noqa: F403
from settings.common import DJANGO_APPS, MIDDLEWARE

SPIRIT = """
core admin search user user.admin user.auth category category.admin topic topic.admin topic.favorite topic.moderate
topic.notification topic.private topic.unread comment comment.bookmark comment.flag comment.flag.admin comment.history
comment.like comment.poll
"""
MIDDLEWARE = [*MIDDLEWARE, "djconfig.middleware.DjConfigMiddleware"]
ST_SITE_URL = "http://localhost"
HAYSTACK_CONNECTIONS = {"default": {"ENGINE": "haystack.backends.simple_backend.SimpleEngine"}}
CACHES = {name: {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"} for name in ("default", "st_rate_limit")}
INSTALLED_APPS = [*DJANGO_APPS, *(f"spirit.{app}" for app in SPIRIT.split()), "djconfig", "haystack"]
