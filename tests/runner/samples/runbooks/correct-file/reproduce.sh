#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:reproduce]
echo "# wrong" > notes/extra.py
# --8<-- [end:reproduce]
