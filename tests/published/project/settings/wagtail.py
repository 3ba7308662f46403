"""Wagtail: a content management system."""

from __future__ import annotations

from settings.common import *  # noqa: F403
from settings.common import DJANGO_APPS

WAGTAIL_SITE_NAME = "Published"
WAGTAILADMIN_BASE_URL = "http://localhost"
INSTALLED_APPS = [
    *DJANGO_APPS,
    "wagtail.contrib.forms",
    "wagtail.contrib.redirects",
    "wagtail.contrib.search_promotions",
    "wagtail.contrib.simple_translation",
    "wagtail.embeds",
    "wagtail.sites",
    "wagtail.users",
    "wagtail.snippets",
    "wagtail.documents",
    "wagtail.images",
    "wagtail.search",
    "wagtail.admin",
    "wagtail",
    "modelcluster",
    "taggit",
]
