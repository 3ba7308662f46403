"""A small stock of books, readers and loans: the same rows every time."""

from __future__ import annotations

from datetime import date, timedelta

from catalog.models import Author, Book, Copy
from django.contrib.auth.models import User
from django.db import transaction
from loans.models import Loan, Reservation

TITLES = ("A Quiet Harbour", "The Glass Orchard", "Night Trains", "Salt and Cedar", "The Cartographer's Table")
FIRST_DAY = date(2026, 3, 2)

with transaction.atomic():
    authors = [Author.objects.create(name=name) for name in ("Ada Byrne", "Leo Castell", "Mina Okafor")]
    readers = [User.objects.create(username=name) for name in ("noor", "tomas", "ines", "viktor")]
    for number, title in enumerate(TITLES):
        book = Book.objects.create(title=title, isbn=f"97800000000{number:02}", pages=None if number == 4 else 200 + number)
        book.authors.set(authors[: number % 3 + 1])
        for mark in "ab":
            copy = Copy.objects.create(book=book, shelf_mark=f"{number + 1}{mark}")
            lent_on = FIRST_DAY + timedelta(days=number)
            Loan.objects.create(
                copy=copy,
                reader=readers[number % 4],
                lent_on=lent_on,
                due_on=lent_on + timedelta(days=28),
                returned_on=lent_on + timedelta(days=20) if mark == "a" else None,
            )
        Reservation.objects.create(book=book, reader=readers[(number + 1) % 4])
