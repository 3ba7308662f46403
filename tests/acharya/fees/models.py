from __future__ import annotations

from django.conf import settings
from django.db import models


class FeeHead(models.Model):
    """What the school charges for, with the usual amount in rupees."""

    name = models.CharField(max_length=50)
    amount = models.DecimalField(max_digits=10, decimal_places=2)

    def __str__(self) -> str:
        return self.name


class Invoice(models.Model):
    """What a student owes; the first one names the application that it came from."""

    number = models.CharField(max_length=12, unique=True)
    student = models.ForeignKey("students.Student", on_delete=models.PROTECT, related_name="invoices")
    application = models.ForeignKey("admissions.Application", null=True, blank=True, on_delete=models.SET_NULL)
    heads = models.ManyToManyField(FeeHead, related_name="invoices")
    amount = models.DecimalField(max_digits=10, decimal_places=2)
    discount = models.DecimalField(max_digits=10, decimal_places=2, default=0)
    due_on = models.DateField()
    note = models.TextField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["student", "due_on"], name="invoice_student_due_idx")]

    def __str__(self) -> str:
        return self.number


class Payment(models.Model):
    """Money received for an invoice."""

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="payments")
    amount = models.DecimalField(max_digits=10, decimal_places=2)
    paid_at = models.DateTimeField()
    receipt_number = models.CharField(max_length=20, blank=True)
    received_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(amount__gt=0), name="payment_amount_positive")]

    def __str__(self) -> str:
        return f"{self.amount} for {self.invoice_id}"


class Scholarship(models.Model):
    """A reduction, in percent, that several students can share."""

    name = models.CharField(max_length=50, unique=True)
    percent = models.PositiveSmallIntegerField()
    students = models.ManyToManyField("students.Student", blank=True, related_name="scholarships")

    def __str__(self) -> str:
        return self.name
