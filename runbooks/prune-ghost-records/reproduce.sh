#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:rename]
sed -i '/    paid_at = /a\    channel = models.CharField(max_length=20, blank=True, default="")' fees/models.py
uv run manage.py makemigrations fees --name payment_channel --verbosity 0
uv run manage.py migrate fees --verbosity 0
mv fees/migrations/0013_payment_channel.py fees/migrations/0013_channel_of_payment.py
uv run manage.py migrate fees --fake --verbosity 0
# --8<-- [end:rename]
