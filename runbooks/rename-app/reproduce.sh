#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:rename]
mv users accounts
sed -i 's/"users"/"accounts"/; s/"users\.User"/"accounts.User"/' acharya/settings.py accounts/apps.py
sed -i 's/("users", /("accounts", /' accounts/migrations/0*.py
grep -rlE 'from users[. ]' --include='*.py' . | xargs sed -Ei 's/from users([. ])/from accounts\1/'
# --8<-- [end:rename]
