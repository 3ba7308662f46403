#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:undo]
true
# --8<-- [end:undo]
