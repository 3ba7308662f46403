#!/usr/bin/env bash
set -euo pipefail
bash "$(dirname "$0")/reproduce.sh"
# The model of today, whose field `discount` is made later than this migration runs.
cat > admissions/migrations/0011_admission_fee.py <<'PYTHON'
from django.db import migrations

from fees.models import Invoice


def add_note(apps, schema_editor):
    """Say on every invoice that admission is free."""
    for invoice in Invoice.objects.all():
        Invoice.objects.filter(pk=invoice.pk).update(note="Admission is free.")


class Migration(migrations.Migration):
    dependencies = [
        ("admissions", "0010_one_document_per_title"),
        ("fees", "0007_require_invoice_number"),
    ]

    operations = [
        migrations.RunPython(add_note, migrations.RunPython.noop),
    ]
PYTHON
