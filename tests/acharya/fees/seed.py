"""What the students of the sample school owe, and what was paid."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from admissions.models import Application
from fees.models import FeeHead, Invoice, Payment, Scholarship
from students.models import Student
from users.seed import SCHOOL_OPENED, People

HEADS = {"Tuition": "12500.00", "Library": "450.50", "Bus": "3199.75"}
NOTES = [None, "Paid by bank transfer.", "", "Second reminder sent;\nthe father's number has changed."]


def add_fees(students: list[Student], applications: list[Application], people: People) -> None:
    """Add two invoices a student: the first is paid in full, the second in part by every third student."""
    heads = FeeHead.objects.bulk_create(FeeHead(name=name, amount=Decimal(amount)) for name, amount in HEADS.items())
    first = [invoice(index, student, heads, applications[index]) for index, student in enumerate(students)]
    second = [invoice(len(students) + index, student, heads) for index, student in enumerate(students)]
    Invoice.objects.bulk_create([*first, *second])
    charge = Invoice.heads.through
    charge.objects.bulk_create(
        charge(invoice=invoice, feehead=head) for invoice in [*first, *second] for head in charged(invoice, heads)
    )
    add_payments([*first, *second[::3]], people)
    add_scholarships(students)


def charged(invoice: Invoice, heads: list[FeeHead]) -> list[FeeHead]:
    """Return what an invoice charges for: everything in the term of the application, tuition later."""
    return heads if invoice.application_id else heads[:1]


def invoice(index: int, student: Student, heads: list[FeeHead], application: Application | None = None) -> Invoice:
    """Return an invoice that is not saved yet; every fourth one has a discount."""
    new = Invoice(
        number=f"F{index + 1:05}",
        student=student,
        application=application,
        discount=Decimal("250.25") if index % 4 == 3 else Decimal(0),
        due_on=date(2026, 6 if application else 11, 15) + timedelta(days=index % 10),
        note=NOTES[index % len(NOTES)],
    )
    new.amount = sum(head.amount for head in charged(new, heads)) - new.discount
    return new


def add_payments(invoices: list[Invoice], people: People) -> None:
    """Pay the invoices that name an application in full and the others in part; nobody signed for some payments."""
    Payment.objects.bulk_create(
        Payment(
            invoice=invoice,
            amount=invoice.amount if invoice.application_id else Decimal("6000.00"),
            paid_at=SCHOOL_OPENED + timedelta(days=index % 30, minutes=index % 400),
            receipt_number=f"R{index + 1:05}",
            received_by=None if index % 7 == 6 else people.head,
        )
        for index, invoice in enumerate(invoices)
    )


def add_scholarships(students: list[Student]) -> None:
    """Add two scholarships; every eighth student holds the first, the last student both."""
    merit, hardship = Scholarship.objects.bulk_create(
        [Scholarship(name="Merit", percent=20), Scholarship(name="Hardship", percent=50)]
    )
    merit.students.set([*students[::8], students[-1]])
    hardship.students.set(students[-1:])
