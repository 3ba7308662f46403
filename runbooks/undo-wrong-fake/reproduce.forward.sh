#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:fake]
uv run manage.py migrate fees 0010 --verbosity 0
uv run manage.py migrate fees --fake --verbosity 0
# --8<-- [end:fake]
