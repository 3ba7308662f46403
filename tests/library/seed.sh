#!/usr/bin/env bash
set -euo pipefail
python manage.py shell -v 0 < seed.py
