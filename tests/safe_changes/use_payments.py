"""Insert, read and change a payment as this release does, and keep nothing."""

import sys

from django.db import DatabaseError, transaction
from django.utils import timezone

from fees.models import Invoice, Payment

invoice = Invoice.objects.first()
pk = Payment.objects.values_list("pk", flat=True).first()
payment = {"invoice": invoice, "amount": 1, "paid_at": timezone.now()}
statements = {
    "INSERT": lambda: Payment(**payment).save(),
    "SELECT": lambda: Payment.objects.first(),
    "UPDATE": lambda: Payment(pk=pk, **payment).save(force_update=True),
}
works, fails = [], []
for name, run in statements.items():
    try:
        with transaction.atomic():
            run()
            transaction.set_rollback(True)
        works.append(name)
    except DatabaseError as error:
        [reason, *_] = str(error).splitlines()
        fails.append(f"{name} fails: {type(error).__name__}: {reason}")
print(*fails, *([", ".join(works) + " work"] if works else []), sep="\n")
sys.exit(bool(fails))
