"""Django's command for a published project, which DJANGO_SETTINGS_MODULE names."""

from __future__ import annotations

import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    execute_from_command_line(sys.argv)
