#!/usr/bin/env bash
set -euo pipefail

rm students/migrations/__init__.py

python - <<'PYTHON'
from pathlib import Path

file = Path("admissions/migrations/0010_one_document_per_title.py")
ours, theirs = '("admissions", "0009_require_application_number"),', '("admissions", "0009_application_number"),'
file.write_text(file.read_text().replace(
    f"        {ours}\n", f"<<<<<<< HEAD\n        {ours}\n=======\n        {theirs}\n>>>>>>> numbers\n"
))
PYTHON

cat >fees/migrations/rounding.py <<'PYTHON'
def to_rupees(amount):
    return amount.quantize(1)
PYTHON
printf 'compiled by another Python' >fees/migrations/0013_invoice_channel.pyc

sed -i 's/^WORD_OF_LETTER = .*/from attendance.spelling import WORD_OF_LETTER/' attendance/migrations/0007_spell_out_marks.py
