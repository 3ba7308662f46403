#!/usr/bin/env bash
set -euo pipefail
# A column made by RunSQL, which does not tell Django's state of it; the next migration alters the field.
sed -i 's/    note = models.TextField/    paid_on = models.DateField(null=True, db_index=True)\n&/' fees/models.py
cat > fees/migrations/0013_paid_on.py <<'PYTHON'
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("fees", "0012_invoice_discount")]

    operations = [
        migrations.RunSQL("ALTER TABLE fees_invoice ADD COLUMN paid_on date NULL", migrations.RunSQL.noop),
    ]
PYTHON
uv run manage.py migrate fees 0013 --verbosity 0
uv run manage.py shell -v 0 -c "
from django.db import connection
connection.cursor().execute('UPDATE fees_invoice SET paid_on = due_on')"
cat > fees/migrations/0014_find_paid_on.py <<'PYTHON'
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("fees", "0013_paid_on")]

    operations = [
        migrations.AlterField("invoice", "paid_on", models.DateField(db_index=True, null=True)),
    ]
PYTHON
