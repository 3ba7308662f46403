"""Print the exit status of each command line of manage.py given as JSON: one set-up of Django, one child a command.

What a command reads from standard input is checks/schema.py.
"""

from __future__ import annotations

import io
import json
import os
import sys

import django
from django.core.management import execute_from_command_line


def status(argv: list[str]) -> int:
    child = os.fork()
    if not child:
        sys.stdout, sys.stderr = io.StringIO(), io.StringIO()
        with open("checks/schema.py") as sys.stdin:
            os._exit(run(argv))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def run(argv: list[str]) -> int:
    """What the interpreter would make of it: SystemExit carries a status, any other exception is 1."""
    try:
        execute_from_command_line(["manage.py", *argv])
    except SystemExit as leaving:
        return int(leaving.code or 0)
    except BaseException:
        return 1
    return 0


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "acharya.settings"
    sys.path.insert(0, os.getcwd())
    django.setup()
    print(json.dumps([status(argv) for argv in json.loads(sys.argv[1])]))
