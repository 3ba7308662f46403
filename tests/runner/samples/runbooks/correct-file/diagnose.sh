#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:diagnose]
[ -f notes/new.py ]
# --8<-- [end:diagnose]
