#!/usr/bin/env bash
set -euo pipefail
sed -i '/^AUTH_USER_MODEL/d' acharya/settings.py
