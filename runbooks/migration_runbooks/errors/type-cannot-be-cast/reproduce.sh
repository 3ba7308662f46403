#!/usr/bin/env bash
set -euo pipefail
sed -i 's/receipt_number = models.CharField(max_length=20, blank=True)/receipt_number = models.IntegerField()/' fees/models.py
uv run manage.py makemigrations fees --name number_receipts --verbosity 0
