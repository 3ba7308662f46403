"""Habits are shown on request alone."""

from __future__ import annotations

from planting import migration
from sqlite_alone import on_sqlite_alone

KEY = "AKIA" + "ABCDEFGHIJKLMNOP"


@on_sqlite_alone
def test_habits_are_shown_at_level_info_and_never_with_the_secret(checked):
    fields = [f'migrations.AddField("payment", "f{number}", models.IntegerField(null=True))' for number in range(7)]
    run = f'migrations.RunPython(lambda apps, editor: ("{KEY}",))'
    migration(checked.sandbox, "fees", "0013_habits", "0012_invoice_discount", ", ".join([*fields, run]))
    found = {each["id"] for each in checked.findings("--level=info") if each["object"] == "0013_habits" and each["level"] == "info"}
    assert found == {"irreversible-operation", "schema-and-data-mixed", "many-heavy-operations", "literal-like-a-secret"}
    done = checked.command()
    assert "0013_habits" in done.output
    assert not any(habit in done.output for habit in found)
    assert KEY not in checked.command("--level=info").output
