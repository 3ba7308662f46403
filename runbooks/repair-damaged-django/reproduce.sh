#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:environment]
python3 .runbook/repair-damaged-django/reproduce_environment.py
# --8<-- [end:environment]
# --8<-- [start:delete]
find . -path "*/migrations/*.py" -not -name "__init__.py" -delete
# --8<-- [end:delete]
