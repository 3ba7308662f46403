"""Wiki: articles with their revisions in a tree."""

from __future__ import annotations

from settings.common import *  # noqa: F403
from settings.common import DJANGO_APPS

INSTALLED_APPS = [
    *DJANGO_APPS,
    "django_nyt.apps.DjangoNytConfig",
    "mptt",
    "sekizai",
    "wiki.apps.WikiConfig",
    "wiki.plugins.attachments.apps.AttachmentsConfig",
    "wiki.plugins.notifications.apps.NotificationsConfig",
    "wiki.plugins.macros.apps.MacrosConfig",
]
