"""Two releases of the sample project on one database: what each one's statements do at each step of a change."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from migration_runbooks.paths import ACHARYA, DOCS
from migration_runbooks.worlds import DATABASES, available, open_sandbox

FILES = Path(__file__).parent
USE_PAYMENTS = (FILES / "use_payments.py").read_text()
ALL_WORK = "INSERT, SELECT, UPDATE work\n"
LAST = "0012_invoice_discount"
"""The last migration of fees in the sample project."""


def on(*databases: str):
    """Run a test on these databases; where there is no server it is skipped, with the reason."""
    missing = {each: available(each) for each in databases}
    return pytest.mark.parametrize(
        "database",
        [pytest.param(each, marks=pytest.mark.skipif(bool(why), reason=why or "")) for each, why in missing.items()],
    )


on_all = on(*DATABASES)


def page(slug: str) -> str:
    return (DOCS / "safe-changes" / f"{slug}.md").read_text()


def migration(operations: str, after: str, attributes: str = "") -> str:
    """Return the text of a migration of fees."""
    return (
        "from django.db import migrations, models\nfrom django.db.models import functions\n"
        "from django.contrib.postgres.functions import RandomUUID\n\n\nclass Migration(migrations.Migration):\n"
        f"    {attributes}\n    dependencies = [('fees', '{after}')]\n    operations = [{operations}]\n"
    )


class Releases:
    """The release that runs, in a folder of its own, and the new one, in the sandbox's project."""

    def __init__(self, database: str, directory: Path):
        self.sandbox = open_sandbox("healthy", database, directory)
        self.database = database
        self.running = directory / "running"
        shutil.copytree(ACHARYA, self.running, ignore=shutil.ignore_patterns("__pycache__"))
        self.written = [LAST]

    def change_model(self, old: str, new: str) -> None:
        """Replace a piece of fees/models.py in the new release."""
        file = self.sandbox.project / "fees" / "models.py"
        text = file.read_text()
        assert text.count(old) == 1, old
        file.write_text(text.replace(old, new))

    def forget_in_admin(self) -> None:
        file = self.sandbox.project / "fees" / "admin.py"
        file.write_text(file.read_text().replace('"receipt_number", ', ""))

    def write_migration(self, name: str, operations: str, attributes: str = "") -> None:
        """Add a migration to fees in the new release, behind the last one."""
        file = self.sandbox.project / "fees" / "migrations" / f"{name}.py"
        file.write_text(migration(operations, self.written[-1], attributes))
        self.written.append(name)

    def migrate(self, *target: str):
        return self.sandbox.manage("migrate", "fees", *target, "-v", "0")

    def old(self) -> str:
        """What the statements of the release that runs do now."""
        manage = [*self.sandbox.kind.manage, "shell", "-v", "0"]
        return self.sandbox.run("env", "-C", self.running, *manage, input=USE_PAYMENTS).output

    def new(self) -> str:
        """What the statements of the new release do now."""
        return self.shell(USE_PAYMENTS)

    def shell(self, code: str) -> str:
        return self.sandbox.manage("shell", "-v", "0", input=code).output
