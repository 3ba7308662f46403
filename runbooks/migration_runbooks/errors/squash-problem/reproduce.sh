#!/usr/bin/env bash
set -euo pipefail

git init --quiet --initial-branch main .
git config user.name "Acharya" && git config user.email "acharya@example.org"
uv run manage.py migrate fees 0010 --verbosity 0
uv run manage.py squashmigrations fees 0009 0011 --noinput --verbosity 0
git add fees/migrations && git commit --quiet --message "Squash three migrations of fees"
git rm --quiet fees/migrations/0009_scholarship.py fees/migrations/0010_*.py fees/migrations/0011_*.py
git commit --quiet --message "Remove the squashed migrations"
