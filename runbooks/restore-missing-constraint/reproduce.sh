#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:drop]
sed -i 's/^        indexes = \[models.Index(fields=\["school_class", "full_name"\]/        unique_together = [("full_name", "date_of_birth")]\n&/' students/models.py
uv run manage.py makemigrations students --name one_child_per_name_and_birthday --verbosity 0
uv run manage.py migrate --verbosity 0
uv run manage.py shell -v 0 -c "
from django.db import connection
from students.models import Student
with connection.schema_editor() as editor:
    editor.alter_unique_together(Student, {('full_name', 'date_of_birth')}, set())"
sed -i '/^        unique_together/d' students/models.py
uv run manage.py makemigrations students --name twins_may_share_a_name --verbosity 0
# --8<-- [end:drop]
