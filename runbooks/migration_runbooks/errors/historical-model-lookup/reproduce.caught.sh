#!/usr/bin/env bash
set -euo pipefail
bash "$(dirname "$0")/reproduce.sh"
rm admissions/migrations/0011_admission_fee.py
cat > users/migrations/0006_more_groups.py <<'PYTHON'
from django.db import IntegrityError, migrations


def add_groups(apps, schema_editor):
    """Add two groups, one of which is there already."""
    groups = apps.get_model("auth", "Group").objects.using(schema_editor.connection.alias)
    for name in ("Teachers", "Librarians"):
        try:
            groups.create(name=name)
        except IntegrityError:
            pass


class Migration(migrations.Migration):
    dependencies = [
        ("users", "0005_user_role_name_index"),
    ]

    operations = [
        migrations.RunPython(add_groups, migrations.RunPython.noop),
    ]
PYTHON
