#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:restore]
sed -i 's/max_length=50)/max_length=60)/' fees/models.py
uv run manage.py makemigrations fees --name longer_names --verbosity 0
uv run manage.py shell -v 0 -c "
from django.db import connection
connection.cursor().execute(\"SELECT setval('django_migrations_id_seq', 1, false)\")"
# --8<-- [end:restore]
