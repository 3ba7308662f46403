#!/usr/bin/env bash
set -euo pipefail
# shellcheck source=/dev/null
. "${0%/*}/../../../rebuild-invalid-index/reproduce.sh"
sed -i 's/name="student_class_name_idx")\]/name="student_class_name_idx"), models.Index(fields=["full_name"], name="student_full_name_idx")]/' students/models.py
cat >students/migrations/0010_student_full_name_index.py <<'PYTHON'
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("students", "0009_student_class_name_index"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="student",
            index=models.Index(fields=["full_name"], name="student_full_name_idx"),
        ),
    ]
PYTHON
