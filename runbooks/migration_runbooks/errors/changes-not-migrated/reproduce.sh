#!/usr/bin/env bash
set -euo pipefail

sed -i '/    paid_at = /a\    channel = models.CharField(max_length=20, blank=True, default="")' fees/models.py

mkdir transport
touch transport/__init__.py
cat >transport/models.py <<'PYTHON'
from django.db import models


class Bus(models.Model):
    plate = models.CharField(max_length=12, unique=True)
PYTHON

mkdir -p vendor/site-packages/noticeboard/migrations
touch vendor/site-packages/noticeboard/__init__.py vendor/site-packages/noticeboard/migrations/__init__.py
cat >vendor/site-packages/noticeboard/models.py <<'PYTHON'
from django.db import models


class Notice(models.Model):
    text = models.TextField()
PYTHON
cat >vendor/site-packages/noticeboard/migrations/0001_initial.py <<'PYTHON'
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            name="Notice",
            fields=[
                ("id", models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("text", models.TextField()),
            ],
        ),
    ]
PYTHON
sed -i 's/^    "attendance",/    "attendance",\n    "transport",\n    "noticeboard",/' acharya/settings.py
sed -i 's/^import os$/import os\nimport sys/; s/^BASE_DIR = .*/&\nsys.path.append(str(BASE_DIR \/ "vendor" \/ "site-packages"))/' acharya/settings.py
uv run manage.py migrate noticeboard --verbosity 0
