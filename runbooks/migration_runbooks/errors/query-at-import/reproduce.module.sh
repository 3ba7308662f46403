#!/usr/bin/env bash
set -euo pipefail
bash "$(dirname "$0")/reproduce.sh"
cat > fees/forms.py <<'PYTHON'
from django import forms

from fees.models import FeeHead

HEADS = list(FeeHead.objects.values_list("pk", "name"))


class ChargeForm(forms.Form):
    head = forms.ChoiceField(choices=HEADS)
PYTHON
