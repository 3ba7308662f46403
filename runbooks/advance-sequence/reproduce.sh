#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:copy]
uv run manage.py shell -v 0 -c "
from fees.models import FeeHead, Scholarship
FeeHead.objects.bulk_create([FeeHead(id=4, name='Library', amount=300), FeeHead(id=5, name='Sports', amount=450)])
Scholarship.objects.bulk_create([Scholarship(id=40, name='Founders', percent=50)])"
cat >fees/migrations/0013_add_late_fee.py <<'PYTHON'
from django.db import migrations


def add_late_fee(apps, schema_editor):
    apps.get_model("fees", "FeeHead").objects.create(name="Late fee", amount=50)


class Migration(migrations.Migration):
    dependencies = [
        ("fees", "0012_invoice_discount"),
    ]

    operations = [
        migrations.RunPython(add_late_fee, migrations.RunPython.noop),
    ]
PYTHON
# --8<-- [end:copy]
