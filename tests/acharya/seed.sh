#!/usr/bin/env bash
set -euo pipefail
uv run manage.py seed_school --students 25
