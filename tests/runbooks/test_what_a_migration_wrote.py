"""What make-migration-reversible reads out of the text of a function or of SQL, and what it does not dare to read."""

from __future__ import annotations

import ast
import importlib.util
import types
from types import SimpleNamespace

import pytest
from migration_runbooks.paths import RUNBOOKS

PAYMENTS = "Payment.objects"
CHANNEL, AMOUNT = ("fees", "payment", "channel"), ("fees", "payment", "amount")
FIELDS = {name: SimpleNamespace() for name in ("channel", "amount", "invoice", "id")} | {"seen_at": SimpleNamespace(auto_now=True)}
STATE = SimpleNamespace(models={
    ("fees", "payment"): SimpleNamespace(fields=FIELDS, bases=()),
    ("fees", "refund"): SimpleNamespace(fields={"reason": SimpleNamespace()}, bases=("fees.payment",)),
})
STATE.apps = SimpleNamespace(get_models=lambda include_auto_created: [SimpleNamespace(_meta=SimpleNamespace(
    db_table="fees_payment", app_label="fees", model_name="payment",
    concrete_fields=[SimpleNamespace(column=f"{name}_id" if name == "invoice" else name, name=name) for name in FIELDS],
))])


@pytest.fixture(scope="module")
def written():
    spec = importlib.util.spec_from_file_location("written", RUNBOOKS / "make-migration-reversible" / "written.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def read(written, body: str):
    text = f"def fill(apps, schema_editor):\n    Payment = apps.get_model('fees', 'Payment')\n    {body}\n"
    module = types.ModuleType("migration")
    exec(compile(text, "migration", "exec"), module.__dict__)
    return written.of_python(module.fill, ast.parse(text), STATE)


@pytest.mark.parametrize("body, found", [
    (f"print({PAYMENTS}.count())", set()),
    (f'{PAYMENTS}.using("default").filter(channel="").update(channel="x")', {CHANNEL}),
    (f"{PAYMENTS}.update(channel='x', amount=1)", {CHANNEL, AMOUNT}),
    (f"{PAYMENTS}.update(invoice_id=1)", {("fees", "payment", "invoice")}),
    (f'for payment in {PAYMENTS}.iterator():\n        payment.channel = "x"\n        payment.save(update_fields=["channel"])', {CHANNEL}),
    (f"for number, payment in enumerate({PAYMENTS}.all()):\n        payment.channel = str(number)\n        payment.save()", {CHANNEL, ("fees", "payment", "seen_at")}),
    (f'rows = {PAYMENTS}.all()\n    for payment in rows[:5]:\n        payment.channel = "x"\n    {PAYMENTS}.bulk_update(rows, ["channel"])', {CHANNEL}),
    (f"for payment in {PAYMENTS}.all():\n        payment.amount += 1\n        payment.save(update_fields=['amount'])", {AMOUNT}),
    (f"{PAYMENTS}.create(amount=1)", {("fees", "payment", "*")}),
    (f"with transaction.atomic():\n        {PAYMENTS}.update(channel='x')", {CHANNEL}),
    ("payment = Payment(amount=1)", {("fees", "payment", "*")}),
])
def test_writes_that_are_read(body, found, written):
    assert read(written, body) == (found, [])


@pytest.mark.parametrize("body", [
    f"{PAYMENTS}.all().delete()",
    f'{PAYMENTS}.update(**{{"channel": "x"}})',
    f"{PAYMENTS}.update(unknown=1)",
    f"setattr({PAYMENTS}.first(), 'channel', 'x')",
    "schema_editor.execute('DELETE FROM fees_payment')",
    f'{PAYMENTS}.first().invoice.note = "x"',
    f"for payment in {PAYMENTS}.all():\n        payment.invoice.save()",
    f"[payment.save() for payment in {PAYMENTS}.all()]",
    f"del {PAYMENTS}.first().channel",
    "helper(Payment)",
    f"def inner(payment):\n        payment.channel = 1\n    inner({PAYMENTS}.first())",
    f"if (payment := {PAYMENTS}.first().invoice):\n        payment.channel = 1",
    f"payment = {PAYMENTS}.first()\n    payment = payment.invoice\n    payment.channel = 1",
    "apps.get_model('fees', 'Refund').objects.create(reason='x')",
    "apps.get_model('fees', 'Refund').objects.update(amount=1)",
    "for invoice in Payment.invoice.get_queryset():\n        invoice.channel = 1",
])
def test_writes_that_are_not_read_are_said(body, written):
    assert read(written, body)[1]


def test_function_that_is_not_plain_is_not_read(written):
    text = "def fill(apps, schema_editor):\n    pass\n"
    for code in (len, lambda apps, schema_editor: None, test_function_that_is_not_plain_is_not_read):
        assert written.of_python(code, ast.parse(text), STATE) == (set(), ["its code is not a plain function of this file"])


@pytest.mark.parametrize("sql", [
    "UPDATE fees_payment SET channel = 'a,(;', amount = coalesce(amount, 1) WHERE id > 2;",
    'update "fees_payment" set "channel" = 1; -- UPDATE other SET x = 1\nUPDATE fees_payment SET amount = 2',
    [("UPDATE fees_payment SET channel = %s, amount = 1", ["x"])],
])
def test_updates_are_read(sql, written):
    assert written.of_sql(sql, STATE) == ({CHANNEL, AMOUNT}, [])


@pytest.mark.parametrize("sql, needs", [
    ("CREATE UNIQUE INDEX IF NOT EXISTS by_channel ON fees_payment (channel)", "needs: DROP INDEX by_channel"),
    ("CREATE OR REPLACE VIEW paid AS SELECT 1", "needs: DROP VIEW paid"),
    ("INSERT INTO fees_feehead (name) VALUES ('x')", "needs: a DELETE of the rows that it inserted"),
    ("UPDATE fees_other SET channel = 1", "needs: the statement that takes it back"),
    ("UPDATE fees_payment p SET channel = 1", "needs: the statement that takes it back"),
    ("UPDATE fees_payment SET channel = 'x'; DELETE FROM fees_payment", "needs: the statement that takes it back"),
    ("SELECT setval('x', 1)", "needs: the statement that takes it back"),
])
def test_sql_that_is_not_read_says_what_it_needs(sql, needs, written):
    (unclear,) = written.of_sql(sql, STATE)[1]
    assert needs in unclear
