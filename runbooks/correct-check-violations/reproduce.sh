#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:limit]
sed -i '/invoice_student_due_idx/a\        constraints = [models.CheckConstraint(condition=models.Q(discount__lte=250), name="discount_limited")]' fees/models.py
uv run manage.py makemigrations fees --name limit_discount --verbosity 0
# --8<-- [end:limit]
