"""Helpdesk: tickets, queues and a knowledge base."""

from __future__ import annotations

from settings.common import *  # noqa: F403
from settings.common import DJANGO_APPS

HELPDESK_TEAMS_MODE_ENABLED = False
HELPDESK_USE_CDN = False
INSTALLED_APPS = [*DJANGO_APPS, "rest_framework", "helpdesk"]
