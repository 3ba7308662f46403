#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:squash]
sed -i '/    student = /a\    fee_invoice = models.ForeignKey("fees.Invoice", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")' admissions/models.py
uv run manage.py makemigrations admissions --name application_fee_invoice --verbosity 0
uv run manage.py migrate --verbosity 0
uv run manage.py squashmigrations admissions 0009 0011 --noinput --verbosity 0
# --8<-- [end:squash]
