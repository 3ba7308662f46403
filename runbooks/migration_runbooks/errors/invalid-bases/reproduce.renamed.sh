#!/usr/bin/env bash
set -euo pipefail
bash "$(dirname "$0")/reproduce.sh"
sed -i 's/"fees\.scholarship"/"fees.grant"/; s/^        ("admissions", .*/&\n        ("fees", "0009_scholarship"),/' admissions/migrations/0011_promise.py
