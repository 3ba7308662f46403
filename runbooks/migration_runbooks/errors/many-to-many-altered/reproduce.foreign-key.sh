#!/usr/bin/env bash
set -euo pipefail
# A payment may be received by several people from now on; somebody wrote that as an alteration of the field.
sed -i 's/    received_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)/    received_by = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True)/' fees/models.py
cat > fees/migrations/0013_receivers.py <<'PYTHON'
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("fees", "0012_invoice_discount"), migrations.swappable_dependency(settings.AUTH_USER_MODEL)]

    operations = [
        migrations.AlterField("payment", "received_by", models.ManyToManyField(blank=True, to=settings.AUTH_USER_MODEL)),
    ]
PYTHON
