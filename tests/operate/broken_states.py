"""Plant each fault that docs/operate/health-checks.md names; the key is the text of its row, without links."""

from __future__ import annotations

from migration_runbooks.worlds import Sandbox

EMPTY = """from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("fees", "{after}")]
    operations = []
"""


def nothing(sandbox: Sandbox) -> None:
    pass


def migration(sandbox: Sandbox, name: str, after: str) -> None:
    (sandbox.project / f"fees/migrations/{name}.py").write_text(EMPTY.format(after=after))


def change_model(sandbox: Sandbox) -> None:
    models = sandbox.project / "fees/models.py"
    field = "    receipt_number = models.CharField(max_length=20, blank=True)\n"
    assert field in models.read_text()
    models.write_text(models.read_text().replace(field, field + "    remark = models.TextField(null=True)\n"))


def leave_unapplied(sandbox: Sandbox) -> None:
    change_model(sandbox)
    assert sandbox.manage("makemigrations", "fees").status == 0


def two_leaves(sandbox: Sandbox) -> None:
    leave_unapplied(sandbox)
    migration(sandbox, "0013_other", after="0012_invoice_discount")


def delete_applied_file(sandbox: Sandbox) -> None:
    migration(sandbox, "0013_gone", after="0012_invoice_discount")
    assert sandbox.manage("migrate", "fees").status == 0
    (sandbox.project / "fees/migrations/0013_gone.py").unlink()


def drop_column(sandbox: Sandbox) -> None:
    sandbox.execute("ALTER TABLE fees_payment DROP COLUMN receipt_number")


def depend_on_nothing(sandbox: Sandbox) -> None:
    migration(sandbox, "0013_lost", after="0012_no_such_file")


def let_orphans_be(sandbox: Sandbox) -> None:
    """Take back the migration that the world leaves waiting, so that the orphans are its only fault."""
    for file in (sandbox.project / "fees/migrations").glob("*_restore_student_constraint.py"):
        file.unlink()
    models = sandbox.project / "fees/models.py"
    models.write_text(
        models.read_text().replace('related_name="invoices")', 'related_name="invoices", db_constraint=False)')
    )


def unplug(sandbox: Sandbox) -> None:
    address = {
        "sqlite": "sqlite:////no/such/folder/db.sqlite3",
        "postgresql": "postgresql://nobody@/none?host=/no/such/folder",
        "mariadb": "mariadb://nobody@localhost/none?unix_socket=/no/such/socket",
    }
    sandbox.environment["DATABASE_URL"] = address[sandbox.database]


FAULTS = {
    "None": ("healthy", nothing),
    "A migration is not applied": ("healthy", leave_unapplied),
    "A model was changed, without a migration": ("healthy", change_model),
    "Two migrations are the last of an app": ("healthy", two_leaves),
    "The file of a recorded migration is gone": ("healthy", delete_applied_file),
    "A column was dropped by hand": ("healthy", drop_column),
    "The history is inconsistent": ("repair-migration-history", nothing),
    "Migrations depend on each other in a circle": ("break-dependency-cycle", nothing),
    "A migration depends on a file that is gone": ("healthy", depend_on_nothing),
    "Rows point to nothing, and no foreign key is enforced": ("quarantine-orphaned-rows", let_orphans_be),
    "The database does not answer": ("healthy", unplug),
}
"""Row of the table: (world, what plants the fault there)."""
