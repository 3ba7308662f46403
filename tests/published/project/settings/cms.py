"""Django CMS with Filer: pages of plugins, and files."""

from __future__ import annotations

from settings.common import *  # noqa: F403
from settings.common import DJANGO_APPS

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "German")]
CMS_CONFIRM_VERSION4 = True
CMS_TEMPLATES = [("page.html", "Page")]
INSTALLED_APPS = [*DJANGO_APPS, "cms", "menus", "treebeard", "sekizai", "easy_thumbnails", "filer", "polymorphic"]
