from __future__ import annotations

from migration_runbooks.worlds import open_sandbox
from proof import RunbookProof, inputs_in

HEADS = "SELECT id, name, amount FROM fees_feehead ORDER BY id"
LINKS = "SELECT invoice_id, feehead_id FROM fees_invoice_heads ORDER BY invoice_id, feehead_id"
KEPT = {"runbook_removed_fees_feehead", "runbook_removed_fees_invoice_heads", "runbook_repointed_fees_invoice_heads_feehead_id"}
TWO_ACCOUNTS = """
from users.models import User
from students.models import Student
first, second = User.objects.filter(student=None).order_by('pk')[:2]
Student.objects.filter(pk=1).update(user=first)
Student.objects.filter(pk=2).update(user=second)
User.objects.filter(pk__in=[first.pk, second.pk]).update(email='same@example.org')
print(first.pk, second.pk)
"""
UNIQUE_EMAIL = """from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("users", "0005_user_role_name_index")]
    operations = [
        migrations.AddConstraint(
            "user", models.UniqueConstraint(fields=["email"], condition=~models.Q(email=""), name="one_user_per_email")
        )
    ]
"""
UNIQUE_AUTHOR = """from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("catalog", "0003_book_pages")]
    operations = [migrations.AlterField("author", "name", models.CharField(max_length=100, unique=True))]
"""
SAME_AUTHOR = """
from catalog.models import Author, Book
again = Author.objects.create(name='Ada Byrne')
for book in Book.objects.order_by('pk')[:2]:
    book.authors.add(again)
"""
UNIQUE_LOWER = """from django.db import migrations, models
from django.db.models.functions import Lower


class Migration(migrations.Migration):
    dependencies = [("fees", "0012_invoice_discount")]
    operations = [migrations.AddConstraint("feehead", models.UniqueConstraint(Lower("name").desc(), name="one_name"))]
"""
TAG = """

class Tag(models.Model):
    key = models.UUIDField(primary_key=True)
    name = models.CharField(max_length=20)
    parent = models.ForeignKey("self", null=True, on_delete=models.CASCADE)
    heads = models.ManyToManyField(FeeHead, related_name="tags")
"""
SAME_TAGS = """
from uuid import UUID
from fees.models import Tag
first = Tag.objects.create(key=UUID(int=1), name='new')
again = Tag.objects.create(key=UUID(int=2), name='new', parent=first)
Tag.objects.create(key=UUID(int=3), name='old', parent=again)
first.heads.add(1)
again.heads.add(1, 2)
"""
TAGS = """
from fees.models import Tag
for tag in Tag.objects.order_by('key'):
    print(tag.key.int, tag.name, tag.parent and tag.parent.key.int, *tag.heads.values_list('pk', flat=True).order_by('pk'))
"""

TOGETHER = """from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("fees", "0012_invoice_discount")]
    operations = [migrations.AlterUniqueTogether("feehead", {("name",)})]
"""


class TestDeduplicateRows(RunbookProof):
    slug = "deduplicate-rows"
    extra_inputs = {"KEEP": "lowest"}
    errors = {
        "sqlite": "django.db.utils.IntegrityError: UNIQUE constraint failed: new__fees_feehead.name",
        "postgresql": 'django.db.utils.IntegrityError: could not create unique index "fees_feehead_name_[..]_uniq"\n'
        "DETAIL:  Key (name)=(Tuition) is duplicated.",
        "mariadb": "django.db.utils.IntegrityError: (1062, \"Duplicate entry 'Tuition' for key 'fees_feehead_name_[..]_uniq'\")",
    }

    def check_fixed(self, cause, broken, fixed, sandbox):
        assert broken.difference(fixed, ignore={"fees_feehead", "fees_invoice_heads", *KEPT}) == []
        assert set(broken.rows["fees_feehead"]) - set(fixed.rows["fees_feehead"]) and len(fixed.rows["fees_feehead"]) == 3
        assert len(fixed.rows["runbook_removed_fees_feehead"]) == 1
        assert len(fixed.rows["runbook_removed_fees_invoice_heads"]) == 1
        assert len(broken.rows["fees_invoice_heads"]) == len(fixed.rows["fees_invoice_heads"]) + 1
        links = sandbox.execute(LINKS)
        assert all(head != 4 for _, head in links) and len(links) == len(set(links))

    def test_every_invoice_still_names_tuition_and_migrate_passes(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            before = sandbox.execute(LINKS)
            self.fix(sandbox, self.diagnose(sandbox))
            assert sandbox.execute(LINKS) == sorted({(invoice, 1 if head == 4 else head) for invoice, head in before})
            assert sandbox.manage("migrate").status == 0

    def test_reader_decides_which_row_stays(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            broken, inputs = sandbox.snapshot(), self.diagnose(sandbox)
            for wrong in ("", "2", "1 4", "oldest"):
                refused = self.step(sandbox, "fix", {**inputs, "KEEP": wrong})
                assert refused.status == 1 and "KEEP must name one of the rows 1, 4" in refused.output
            assert broken.difference(sandbox.snapshot()) == []
            self.fix(sandbox, {**inputs, "KEEP": "4"})
            assert [(row[0], row[1], float(row[2])) for row in sandbox.execute(HEADS)][-1] == (4, "Tuition", 13000.0)
            assert len(sandbox.execute(HEADS)) == 3
            assert self.step(sandbox, "undo", inputs).status == 0
            assert broken.difference(sandbox.snapshot()) == []

    def test_keys_that_are_uuids_and_rows_that_point_to_their_own_table(self, database, tmp_path):
        with open_sandbox("healthy", database, tmp_path) as sandbox:
            models = sandbox.project / "fees/models.py"
            models.write_text(models.read_text() + TAG)
            assert sandbox.manage("makemigrations", "fees").status == 0
            assert sandbox.manage("migrate").status == 0
            assert sandbox.manage("shell", "-v", "0", "-c", SAME_TAGS).status == 0
            models.write_text(models.read_text().replace("name = models.CharField(max_length=20)", "name = models.CharField(max_length=20, unique=True)"))
            assert sandbox.manage("makemigrations", "fees").status == 0
            broken, inputs = sandbox.snapshot(), self.diagnose(sandbox)
            looped = self.step(sandbox, "fix", {**inputs, "KEEP": "highest"})
            assert looped.status == 1 and "would point to itself" in looped.output
            assert broken.difference(sandbox.snapshot()) == []
            self.fix(sandbox, inputs)
            assert sandbox.manage("shell", "-v", "0", "-c", TAGS).output == "1 new None 1 2\n3 old 1\n"
            self.verify(sandbox, inputs)
            assert self.step(sandbox, "undo", inputs).status == 0
            assert broken.difference(sandbox.snapshot()) == []

    def test_constraint_of_an_expression_goes_by_its_name(self, database, tmp_path):
        with open_sandbox("healthy", database, tmp_path) as sandbox:
            (sandbox.project / "fees/migrations/0013_one_name.py").write_text(UNIQUE_LOWER)
            sandbox.execute("INSERT INTO fees_feehead (name, amount) VALUES ('TUITION', 1)")
            if database == "mariadb":  # it has no such constraint, and Django makes none
                assert self.step(sandbox, "diagnose").status == 0 == sandbox.manage("migrate").status
                return
            broken, inputs = sandbox.snapshot(), self.diagnose(sandbox)
            assert inputs["COLUMNS"] == "one_name"
            self.fix(sandbox, inputs)
            assert [row[1] for row in sandbox.execute(HEADS)] == ["Tuition", "Library", "Bus"]
            self.verify(sandbox, inputs)
            assert self.step(sandbox, "undo", inputs).status == 0
            assert broken.difference(sandbox.snapshot()) == []

    def test_unique_together_is_a_rule_too(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            (sandbox.project / "fees/migrations/0013_unique_fee_head.py").write_text(TOGETHER)
            inputs = self.diagnose(sandbox)
            assert inputs["COLUMNS"] == "name"
            self.fix(sandbox, inputs)
            self.verify(sandbox, inputs)
            assert sandbox.manage("migrate").status == 0

    def test_does_not_mix_what_two_runs_keep(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            inputs = self.diagnose(sandbox)
            self.fix(sandbox, inputs)
            sandbox.execute("INSERT INTO fees_feehead (name, amount) VALUES ('Tuition', 1)")
            fixed = sandbox.snapshot()
            refused = self.step(sandbox, "fix", inputs)
            assert refused.status == 1 and "still hold the rows of an earlier run" in refused.output
            assert fixed.difference(sandbox.snapshot()) == []

    def test_undo_leaves_alone_what_was_pointed_elsewhere_since(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            inputs = self.diagnose(sandbox)
            ((link,),) = sandbox.execute("SELECT id FROM fees_invoice_heads WHERE feehead_id = 4 AND invoice_id NOT IN (SELECT invoice_id FROM fees_invoice_heads WHERE feehead_id = 1)")
            self.fix(sandbox, inputs)
            sandbox.execute(f"DELETE FROM fees_invoice_heads WHERE feehead_id = 3 AND invoice_id = (SELECT invoice_id FROM (SELECT * FROM fees_invoice_heads) h WHERE id = {link})")
            sandbox.execute(f"UPDATE fees_invoice_heads SET feehead_id = 3 WHERE id = {link}")
            assert self.step(sandbox, "undo", inputs).status == 0
            assert sandbox.execute(f"SELECT feehead_id FROM fees_invoice_heads WHERE id = {link}") == [(3,)]

    def test_refuses_to_merge_rows_whose_own_rows_can_not_both_stay(self, database, tmp_path):
        if database == "mariadb":
            return self.partial_constraints_do_not_exist(tmp_path)
        with open_sandbox("healthy", database, tmp_path) as sandbox:
            assert sandbox.manage("shell", "-v", "0", "-c", TWO_ACCOUNTS).status == 0
            (sandbox.project / "users/migrations/0006_email.py").write_text(UNIQUE_EMAIL)
            broken, inputs = sandbox.snapshot(), self.diagnose(sandbox)
            assert (inputs["TABLE"], inputs["COLUMNS"]) == ("users_user", "email")
            refused = self.step(sandbox, "fix", inputs)
            assert refused.status == 1 and "Refused, nothing was changed" in refused.output and "students_student" in refused.output
            assert broken.difference(sandbox.snapshot()) == []

    def partial_constraints_do_not_exist(self, tmp_path):
        with open_sandbox("healthy", "mariadb", tmp_path) as sandbox:
            assert sandbox.manage("shell", "-v", "0", "-c", TWO_ACCOUNTS).status == 0
            (sandbox.project / "users/migrations/0006_email.py").write_text(UNIQUE_EMAIL)
            assert self.step(sandbox, "diagnose").status == 0
            assert sandbox.manage("migrate").status == 0

    def test_of_two_tables_with_duplicates_the_first_to_come_is_first(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            assert sandbox.manage("shell", "-v", "0", "-c", TWO_ACCOUNTS).status == 0
            unconditional = UNIQUE_EMAIL.replace(', condition=~models.Q(email="")', "")
            (sandbox.project / "users/migrations/0006_email.py").write_text(unconditional)
            told = self.step(sandbox, "diagnose").output
            assert " wants fees_feehead to be unique in name. Values that are there more than once: 1\n  Tuition: rows 1, 4; " in told
            assert "users.0006_email wants users_user to be unique in email. " in told
            assert "  fees_invoice_heads.feehead_id: 2 rows point to all but the first of each\n" in told
            assert (inputs_in(told)["TABLE"], inputs_in(told)["COLUMNS"]) == ("fees_feehead", "name")
            left = self.step(sandbox, "verify", inputs_in(told))
            assert (left.status, left.output) == (1, "Values of fees_feehead that are there more than once: 1\n")

    def test_refuses_what_it_can_not_do(self, database, tmp_path):
        with open_sandbox(self.slug, database, tmp_path) as sandbox:
            broken = sandbox.snapshot()
            for wrong in ({"COLUMNS": "amount"}, {"TABLE": "no_table"}, {"TABLE": "", "COLUMNS": ""}):
                refused = self.step(sandbox, "fix", {**self.example_inputs(), **wrong})
                assert refused.status == 1 and "Refused, nothing was changed" in refused.output
            refused = self.step(sandbox, "undo", {**self.example_inputs(), "TABLE": "no_table"})
            assert refused.status == 1 and "there is no table 'no_table'" in refused.output
            assert broken.difference(sandbox.snapshot()) == []

    def break_other_project(self, library):
        assert library.manage("shell", "-v", "0", "-c", SAME_AUTHOR).status == 0
        (library.project / "catalog/migrations/0004_unique_author.py").write_text(UNIQUE_AUTHOR)

    def check_other_project(self, broken, fixed, library):
        assert len(fixed.rows["catalog_author"]) == 3 == len(broken.rows["catalog_author"]) - 1
        assert library.execute("SELECT COUNT(*) FROM catalog_book_authors WHERE author_id = 4") == [(0,)]
