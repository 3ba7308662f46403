#!/usr/bin/env bash
set -euo pipefail
# shellcheck source=/dev/null
. "${0%/*}/../../../restore-missing-constraint/reproduce.sh"
# shellcheck source=/dev/null
. "${0%/*}/../../../adopt-existing-index/reproduce.sh"
