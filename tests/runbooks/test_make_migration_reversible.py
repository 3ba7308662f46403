from __future__ import annotations

import pytest
from migration_runbooks.paths import RUNBOOKS
from migration_runbooks.worlds import open_sandbox
from proof import RunbookProof

ERROR = "django.db.migrations.exceptions.IrreversibleError: Operation <{}> in fees.0014_fill_payment_channel is not reversible"
FILE = "fees/migrations/0014_fill_payment_channel.py"
TOLD = {"APP": "fees", "MIGRATION": "0014_fill_payment_channel", "TARGET": "0012_invoice_discount"}
FILLED = 'Payment.objects.update(channel="x")'


@pytest.fixture
def sandbox(tmp_path):
    with open_sandbox("make-migration-reversible", "sqlite", tmp_path) as opened:
        yield opened


class TestMakeMigrationReversible(RunbookProof):
    slug = "make-migration-reversible"
    command = ("migrate", "fees", "0012")
    errors = {
        "": ERROR.format("RunPython <function fill_channel at [..]>"),
        "sql": ERROR.format("RunSQL [..]"),
    }

    def check_fixed(self, cause, broken, fixed, sandbox):
        assert broken.difference(fixed) == []
        assert "reverse_sql=migrations.RunSQL.noop" in sandbox.files()[FILE] or "reverse_code=migrations.RunPython.noop" in sandbox.files()[FILE]
        assert sandbox.manage("makemigrations", "--check").status == 0

    def test_back_and_forward_again_ends_where_it_began(self, database, cause, tmp_path):
        with open_sandbox(self.broken_world(cause), database, tmp_path) as sandbox:
            before = sandbox.snapshot(ignore=["django_migrations"])
            inputs = self.diagnose(sandbox)
            self.fix(sandbox, inputs)
            for target in (inputs["TARGET"], "0014"):
                done = sandbox.manage("migrate", "fees", target)
                assert done.status == 0, done.output
            assert before.difference(sandbox.snapshot(ignore=["django_migrations"])) == []

    def break_other_project(self, library):
        models = library.project / "loans/models.py"
        models.write_text(models.read_text().replace("    lent_on = ", '    shelf = models.TextField(default="")\n    lent_on = '))
        (library.project / "loans/migrations/0004_loan_shelf.py").write_text(
            "from django.db import migrations, models\nfrom django.db.migrations import RunPython\n\n\n"
            "def fill(apps, schema_editor):\n    for loan in apps.get_model('loans', 'Loan').objects.all():\n"
            "        loan.shelf = str(loan.pk)\n        loan.save()\n\n\n"
            "class Migration(migrations.Migration):\n    dependencies = [('loans', '0003_reservation')]\n"
            "    operations = [\n        migrations.AddField('loan', 'shelf', models.TextField(default='')),\n"
            "        RunPython(code=fill, elidable=False),\n    ]\n"
        )
        done = library.manage("migrate")
        assert done.status == 0, done.output

    def check_other_project(self, broken, fixed, library):
        assert broken.difference(fixed) == []
        assert "RunPython(code=fill, elidable=False, reverse_code=RunPython.noop)," in library.files()["loans/migrations/0004_loan_shelf.py"]


def script(step):
    return RUNBOOKS / "make-migration-reversible" / f"{step}.sh"


def judge(sandbox, **inputs):
    return sandbox.bash(script("diagnose"), **inputs)


def write(sandbox, body: str, operation: str = "migrations.RunPython(fill)") -> None:
    (sandbox.project / FILE).write_text(
        "from django.db import migrations\n\n\ndef fill(apps, schema_editor):\n"
        f'    Payment = apps.get_model("fees", "Payment")\n    {body}\n\n\n'
        "class Migration(migrations.Migration):\n"
        f'    dependencies = [("fees", "0013_payment_channel")]\n    operations = [{operation}]\n'
    )


def refused(sandbox, *reasons: str, **inputs) -> None:
    """Diagnose can't tell, and the fix changes nothing, whatever it is told."""
    files = sandbox.files()
    done = judge(sandbox, **inputs)
    assert done.status == 2 and all(reason in done.output for reason in reasons) and "TARGET=" not in done.output, done.output
    fixed = sandbox.bash(script("fix"), **{**TOLD, **inputs})
    assert fixed.status == 1 and "Refused, nothing was changed" in fixed.stderr and "Traceback" not in fixed.output
    assert sandbox.files() == files


def test_what_stays_needs_a_person(sandbox):
    write(sandbox, "Payment.objects.update(amount=1)")
    refused(sandbox, "it writes fees.payment.amount, made by fees.0002_payment", "After going back to one of the migrations before it, what it wrote stays")
    far = judge(sandbox, **{**TOLD, "TARGET": "0001_initial"})
    assert far.status == 1 and "TARGET=0001_initial" in far.output
    write(sandbox, FILLED)
    refused(sandbox, "After going back to 0013_payment_channel, what it wrote stays", **{**TOLD, "TARGET": "0013_payment_channel"})
    write(sandbox, 'apps.get_model("admissions.Application").objects.update(status="x")')
    refused(sandbox, "it writes admissions.application.status, made by no migration that goes with it", "Write reverse_code")
    write(sandbox, "pass", "migrations.RunPython(lambda apps, schema_editor: None)")
    refused(sandbox, "not a plain function of this file")
    write(sandbox, "pass", 'migrations.RunSQL("CREATE INDEX by_channel ON fees_payment (channel)")')
    refused(sandbox, "needs: DROP INDEX by_channel", "Write reverse_sql")


@pytest.mark.parametrize("operation", [
    "migrations.RunPython(fill, None)",
    "migrations.RunPython(code=(fill))",
    "migrations.SeparateDatabaseAndState([migrations.RunPython(fill)])",
    "*[migrations.RunPython(fill)]",
])
def test_operation_written_in_another_way_is_not_rewritten(operation, sandbox):
    write(sandbox, FILLED, operation)
    refused(sandbox, "write the way back by hand")


@pytest.mark.parametrize("inputs, reason", [
    ({"APP": "nowhere"}, "there is no migration nowhere."),
    ({"TARGET": "0014_fill_payment_channel"}, "does not come before"),
    ({"TARGET": "0099_gone"}, "does not come before"),
])
def test_values_that_name_nothing_are_refused(inputs, reason, sandbox):
    refused(sandbox, reason, **{**TOLD, **inputs})


def test_file_edited_after_the_fix_is_not_put_back(sandbox):
    assert sandbox.bash(script("fix"), **TOLD).status == 0
    file = sandbox.project / FILE
    file.write_text(file.read_text() + "\n# mine\n")
    undone = sandbox.bash(script("undo"), **TOLD)
    assert undone.status == 1 and "was edited since the fix" in undone.stderr
    assert file.read_text().endswith("# mine\n")
