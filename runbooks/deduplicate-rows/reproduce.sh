#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:repeat]
sed -i '/class FeeHead/,/class Invoice/ s/CharField(max_length=50)/CharField(max_length=50, unique=True)/' fees/models.py
uv run manage.py makemigrations fees --name unique_fee_head --verbosity 0
uv run manage.py shell -v 0 -c "
from fees.models import FeeHead, Invoice
old = FeeHead.objects.get(name='Tuition')
again = FeeHead.objects.create(name='Tuition', amount='13000.00')
with_both, moved = Invoice.objects.filter(heads=old).order_by('pk')[:2]
with_both.heads.add(again)
moved.heads.remove(old)
moved.heads.add(again)"
# --8<-- [end:repeat]
