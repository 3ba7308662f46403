#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:rename]
printf '%s\n' .runbook/ '*.sqlite3*' __pycache__/ > .gitignore
git init --quiet
git config user.name Developer
git config user.email developer@example.com
git add --all
git commit --quiet --message "The project as it was deployed"
git mv fees/migrations/0009_scholarship.py fees/migrations/0009_add_scholarships.py
git commit --quiet --message "Give migrations better names"
# --8<-- [end:rename]
