#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:shorten]
sed -i 's/previous_school = models.CharField(max_length=200,/previous_school = models.CharField(max_length=50,/' admissions/models.py
uv run manage.py makemigrations admissions --name shorten_previous_school --verbosity 0
# --8<-- [end:shorten]
