#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:drop]
uv run manage.py shell -v 0 -c "
from django.db import connection
from students.models import SchoolClass
with connection.schema_editor() as editor:
    editor.remove_constraint(SchoolClass, SchoolClass._meta.constraints[0])"
sed -i '/^        constraints = \[models.UniqueConstraint(fields=\["name", "year"\]/d' students/models.py
uv run manage.py makemigrations students --name drop_one_class --verbosity 0
# --8<-- [end:drop]
