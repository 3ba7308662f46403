#!/usr/bin/env bash
set -euo pipefail
bash "$(dirname "$0")/reproduce.sh"
# The dependency names the app, and not the migration that makes the model.
sed -i 's/"FeeHead"/"Scholarship"/; s/"amount": 5000/"percent": 10/; s/^        ("admissions", .*/&\n        ("fees", "0001_initial"),/' admissions/migrations/0011_admission_fee.py
