# Run by `manage.py shell` in the project: prints, after a mark, what the runner must know, as JSON on one line.
# The output goes through a pipe to the runner and nowhere else, because it holds the database's password.
import json
import os

from django.apps import apps
from django.conf import settings
from django.db import connections

alias = os.environ["RUNBOOK_DATABASE"]
facts = {"aliases": list(connections), "apps": {config.label: str(config.path) for config in apps.get_app_configs()}}
if alias in connections:
    connection = connections[alias]
    given = connection.settings_dict
    facts["vendor"] = connection.vendor
    if connection.vendor == "mysql":
        facts["vendor"] = "mariadb" if connection.mysql_is_mariadb else "mysql"
    facts["settings"] = {name: str(given.get(name) or "") for name in ("NAME", "USER", "PASSWORD", "HOST", "PORT")}
    facts["options"] = {
        name: value for name, value in given.get("OPTIONS", {}).items() if isinstance(value, (str, int, dict))
    }
    facts["settings_module"] = settings.SETTINGS_MODULE
print("\nrunbook-facts " + json.dumps(facts, default=str))
