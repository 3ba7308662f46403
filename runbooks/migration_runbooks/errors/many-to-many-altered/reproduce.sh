#!/usr/bin/env bash
set -euo pipefail
# A plain many-to-many field gets a model of its own for its links, and makemigrations writes what migrate can't do.
sed -i 's/    students = models.ManyToManyField("students.Student", blank=True, /&through="Award", /' fees/models.py
cat >> fees/models.py <<'PYTHON'


class Award(models.Model):
    """A scholarship that was given to one student."""

    scholarship = models.ForeignKey(Scholarship, on_delete=models.CASCADE)
    student = models.ForeignKey("students.Student", on_delete=models.CASCADE)
    awarded_on = models.DateField(null=True, blank=True)
PYTHON
uv run manage.py makemigrations fees --name award --no-header --verbosity 0
! uv run manage.py migrate --verbosity 0 2> /dev/null
