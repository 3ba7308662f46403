from __future__ import annotations

from django.conf import settings
from django.db import models


class Loan(models.Model):
    copy = models.ForeignKey("catalog.Copy", on_delete=models.PROTECT, related_name="loans")
    reader = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="loans")
    lent_on = models.DateField()
    due_on = models.DateField()
    returned_on = models.DateField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(due_on__gte=models.F("lent_on")), name="loan_due_after_lent")
        ]


class Reservation(models.Model):
    book = models.ForeignKey("catalog.Book", on_delete=models.CASCADE, related_name="reservations")
    reader = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="reservations")
    made_at = models.DateTimeField(auto_now_add=True)
