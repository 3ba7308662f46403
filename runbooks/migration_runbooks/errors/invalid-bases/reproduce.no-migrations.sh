#!/usr/bin/env bash
set -euo pipefail
bash "$(dirname "$0")/reproduce.sh"
rm admissions/migrations/0011_promise.py
sed -i '/^from fees.models/,+1d; /^class Promise/,$d' admissions/models.py
mkdir promises
touch promises/__init__.py
cat > promises/models.py <<'PYTHON'
from django.db import models

from fees.models import Scholarship


class Promise(Scholarship):
    """A scholarship that was promised with a place."""

    until = models.DateField(null=True)
PYTHON
sed -i 's/^    "attendance",$/&\n    "promises",/' acharya/settings.py
