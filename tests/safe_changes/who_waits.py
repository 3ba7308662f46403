"""Fill the column in five ways, and see each time what becomes of the change that another session makes meanwhile."""

from contextlib import nullcontext

from django.db import OperationalError, connection, transaction
from django.db.models.functions import ExtractMonth

from fees.models import Payment

PATIENCE = {
    "sqlite": "PRAGMA busy_timeout = 100",
    "postgresql": "SET lock_timeout = '100ms'",
    "mysql": "SET innodb_lock_wait_timeout = 1",
}
first, *_, last = Payment.objects.order_by("pk").values_list("pk", flat=True)
office = connection.copy("office").cursor()
office.execute(PATIENCE[connection.vendor])


def one_update():
    Payment.objects.update(month=ExtractMonth("paid_at"))
    yield


def loop_over_save():
    for payment in list(Payment.objects.order_by("pk")):
        payment.month = payment.paid_at.month
        payment.save()
        yield


def batches():
    for start in range(first, last + 1, 10):
        Payment.objects.filter(pk__range=(start, start + 9), month=None).update(month=ExtractMonth("paid_at"))
        yield


def watch(way, atomic):
    """Let the office change two payments in the middle: the first, which is done, and the last, which comes later."""
    Payment.objects.update(month=None, receipt_number="")
    with transaction.atomic() if atomic else nullcontext():
        steps = way()
        next(steps)
        try:
            office.execute("UPDATE fees_payment SET receipt_number = 'office' WHERE id IN (%s, %s)", [first, last])
        except OperationalError as error:
            return f"the office waits: {str(error).splitlines()[0]}"
        all(True for _ in steps)
    kept = Payment.objects.filter(receipt_number="office").count()
    return f"the office goes on, and {kept} of its 2 changes are kept"


for way, atomic in [(one_update, True), (loop_over_save, True), (loop_over_save, False), (batches, True), (batches, False)]:
    print(f"{way.__name__}, atomic = {atomic}: {watch(way, atomic)}")
