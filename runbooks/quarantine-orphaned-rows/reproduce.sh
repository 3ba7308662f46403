#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:orphan]
sed -i 's/related_name="invoices")/related_name="invoices", db_constraint=False)/' fees/models.py
uv run manage.py makemigrations fees --name drop_student_constraint --verbosity 0
uv run manage.py migrate --verbosity 0
uv run manage.py shell -v 0 -c "
from fees.models import Invoice
Invoice.objects.filter(pk__in=[3, 7]).update(student_id=999999)"
sed -i 's/, db_constraint=False)/)/' fees/models.py
uv run manage.py makemigrations fees --name restore_student_constraint --verbosity 0
# --8<-- [end:orphan]
