#!/usr/bin/env bash
set -euo pipefail
# The world of the runbook, before anybody ran makemigrations for the new user model.
bash "$(dirname "$0")/../../../switch-to-custom-user/reproduce.sh"
rm users/migrations/0001_initial.py
