#!/usr/bin/env bash
set -euo pipefail
sed -i 's/^class User(/class Member(/' users/models.py
sed -i 's/\bUser\b/Member/g' users/admin.py
sed -i '/^from users.models import/s/\bUser\b/Member as User/' users/seed.py students/management/commands/seed_school.py
sed -i 's/"users\.User"/"users.Member"/' acharya/settings.py
