#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:drop]
uv run manage.py shell -v 0 -c "
from django.db import connection
connection.cursor().execute('DROP INDEX student_class_name_idx')"
sed -i '/^    class Meta:$/{N;/student_class_name_idx/d}' students/models.py
uv run manage.py makemigrations students --name drop_class_name_index --verbosity 0
# --8<-- [end:drop]
