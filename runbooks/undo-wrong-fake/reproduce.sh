#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:fake]
uv run manage.py migrate fees 0011 --fake --verbosity 0
# --8<-- [end:fake]
