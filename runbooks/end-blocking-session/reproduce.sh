#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:release]
cat > fees/migrations/0013_invoice_reminder.py <<'PYTHON'
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("fees", "0012_invoice_discount")]

    operations = [
        migrations.AddField("invoice", "reminder", models.DateField(null=True)),
    ]
PYTHON
sed -i '/    discount = models/a\    reminder = models.DateField(null=True)' fees/models.py
cat >> acharya/settings.py <<'PYTHON'

# A migration gives up after two seconds without its lock.
LOCK_TIMEOUT = {
    "django.db.backends.postgresql": {"options": "-c lock_timeout=2s"},
    "django.db.backends.mysql": {"init_command": "SET lock_wait_timeout = 2"},
}
DATABASES["default"].setdefault("OPTIONS", {}).update(LOCK_TIMEOUT[DATABASES["default"]["ENGINE"]])
PYTHON
# --8<-- [end:release]
