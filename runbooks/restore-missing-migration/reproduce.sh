#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:delete]
printf '%s\n' .runbook/ '*.sqlite3*' __pycache__/ > .gitignore
git init --quiet
git config user.name Developer
git config user.email developer@example.com
git add --all
git commit --quiet --message "The project as it was deployed"
git rm --quiet fees/migrations/0009_scholarship.py
git commit --quiet --message "Remove old migrations"
# --8<-- [end:delete]
