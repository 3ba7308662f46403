#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:verify]
[ -f notes/new.py ]
# --8<-- [end:verify]
