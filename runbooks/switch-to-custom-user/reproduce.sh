#!/usr/bin/env bash
set -euo pipefail
# --8<-- [start:take-out]
uv run manage.py dumpdata --natural-foreign --exclude contenttypes --exclude auth.permission --output school.json --verbosity 0
uv run manage.py shell -v 0 -c "
from django.db import connection
with connection.constraint_checks_disabled(), connection.cursor() as cursor:
    for table in connection.introspection.table_names(cursor):
        cursor.execute('DROP TABLE ' + connection.ops.quote_name(table) + ' CASCADE' * (connection.vendor != 'sqlite'))"
rm users/migrations/0*.py
uv run manage.py makemigrations users --no-header --verbosity 0
# --8<-- [end:take-out]
# --8<-- [start:begin-without]
sed -i 's/"users",$/# &/; s/^AUTH_USER_MODEL/# &/' acharya/settings.py
uv run manage.py migrate --verbosity 0
sed -Ei 's/"users\.user"/"auth.user"/g; s/\["users", "user"\]/["auth", "user"]/g; s/"role": "[a-z]+", "phone_number": "[^"]*", //g' school.json
uv run manage.py loaddata school.json --verbosity 0
rm school.json
# --8<-- [end:begin-without]
# --8<-- [start:swap]
sed -i 's/# "users",$/"users",/; s/^# AUTH_USER_MODEL/AUTH_USER_MODEL/' acharya/settings.py
# --8<-- [end:swap]
