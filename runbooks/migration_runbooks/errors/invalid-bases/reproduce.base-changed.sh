#!/usr/bin/env bash
set -euo pipefail
# A model inherits from another and has rows; then it shall stand alone, and gets the fields that it inherited.
cat >> fees/models.py <<'PYTHON'


class Grant(Scholarship):
    """A scholarship that somebody else pays."""

    sponsor = models.CharField(max_length=50)
PYTHON
uv run manage.py makemigrations fees --name grant --no-header --verbosity 0
uv run manage.py migrate --verbosity 0
uv run manage.py shell -v 0 -c "
from fees.models import Grant
for percent in (20, 35, 50):
    Grant.objects.create(name=f'Grant {percent}', percent=percent, sponsor='Rotary')"
sed -i 's/^class Grant(Scholarship)/class Grant(models.Model)/; s/^    sponsor = /    name = models.CharField(max_length=50, unique=True)\n    percent = models.PositiveSmallIntegerField()\n&/' fees/models.py
cat > fees/migrations/0014_grant_stands_alone.py <<'PYTHON'
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("fees", "0013_grant"),
    ]

    operations = [
        migrations.AddField("grant", "name", models.CharField(max_length=50, null=True, unique=True)),
        migrations.AddField("grant", "percent", models.PositiveSmallIntegerField(null=True)),
    ]
PYTHON
