#!/usr/bin/env bash
set -euo pipefail
bash "$(dirname "$0")/reproduce.sh"
sed -i 's/^        ("admissions", .*/&\n        ("scholarships", "__first__"),/' admissions/migrations/0011_application_scholarship.py
