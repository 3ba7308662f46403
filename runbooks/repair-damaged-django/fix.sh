#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:install]
STEP=fix python3 .runbook/repair-damaged-django/packages.py
# --8<-- [end:install]
