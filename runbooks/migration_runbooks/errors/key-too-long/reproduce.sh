#!/usr/bin/env bash
set -euo pipefail
sed -i 's/previous_school = models.CharField(max_length=200,/previous_school = models.CharField(max_length=700,/' admissions/models.py
sed -i '/student = models.OneToOneField/a\
\
    class Meta:\
        indexes = [models.Index(fields=["previous_school", "applicant_name"], name="application_school_idx")]' admissions/models.py
uv run manage.py makemigrations admissions --name application_school_idx --verbosity 0
