#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:fix]
rm notes/extra.py
echo "# changed" >> notes/models.py
echo "# new" > notes/new.py
# --8<-- [end:fix]
