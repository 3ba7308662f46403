#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:require]
sed -i 's/note = models.TextField(null=True, blank=True)/note = models.TextField()/' fees/models.py
uv run manage.py makemigrations fees --name require_note --noinput --verbosity 0
# --8<-- [end:require]
