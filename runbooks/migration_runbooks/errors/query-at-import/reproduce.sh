#!/usr/bin/env bash
set -euo pipefail
# The database of a new colleague or of CI: empty, while a form asks it for its choices as soon as it is imported.
uv run manage.py shell -v 0 -c "
from django.db import connection
with connection.constraint_checks_disabled(), connection.cursor() as cursor:
    for table in connection.introspection.table_names(cursor):
        cursor.execute('DROP TABLE ' + connection.ops.quote_name(table) + ' CASCADE' * (connection.vendor != 'sqlite'))"
cat > fees/forms.py <<'PYTHON'
from django import forms

from fees.models import FeeHead


class ChargeForm(forms.Form):
    head = forms.ChoiceField(choices=[(head.pk, head.name) for head in FeeHead.objects.all()])
PYTHON
cat > fees/urls.py <<'PYTHON'
from django.urls import path
from django.views.generic import FormView

from fees.forms import ChargeForm

urlpatterns = [path("", FormView.as_view(form_class=ChargeForm, template_name="charge.html"))]
PYTHON
sed -i 's/import path$/import include, path/; s/admin.site.urls)/&, path("fees\/", include("fees.urls"))/' acharya/urls.py
