#!/usr/bin/env bash
set -euo pipefail
sed -i 's/^    receipt_number = /    channel = models.CharField(max_length=20)\n&/' fees/models.py
