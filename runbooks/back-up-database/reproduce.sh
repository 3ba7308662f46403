#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:half]
mkdir -p .runbook/backups
printf 'PGDMP: the first bytes of a dump that was killed' > .runbook/backups/backup.dump
# --8<-- [end:half]
