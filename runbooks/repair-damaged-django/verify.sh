#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:compare]
STEP=verify python3 .runbook/repair-damaged-django/packages.py
# --8<-- [end:compare]
