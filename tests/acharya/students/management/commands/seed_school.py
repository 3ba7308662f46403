from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError

from django.contrib.sessions.models import Session
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, transaction

from admissions.seed import add_applications
from attendance.seed import add_attendance
from fees.seed import add_fees
from students.seed import add_students
from users.models import User
from users.seed import add_traces, add_users


def positive(text: str) -> int:
    """Return the whole number that `text` spells; ArgumentTypeError when it is less than one or no number."""
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is not a whole number of at least 1.")
    return int(text)


class Command(BaseCommand):
    help = "Fill every table of an empty database with a school: the same rows each time, nothing random, no clock."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--students", type=positive, default=25, metavar="N", help="how many students (25)")

    def handle(self, *, students: int, **options) -> None:
        try:
            with transaction.atomic():
                refuse_unless_empty()
                seed(students)
        except DatabaseError as error:
            raise CommandError(
                f"The tables are not those of the models: {str(error).strip()}. "
                "Nothing was added. Run `uv run manage.py migrate` first."
            ) from None
        self.stdout.write(f"Added a school with {students} students and {User.objects.count()} users.")


def refuse_unless_empty() -> None:
    """Raise CommandError when there are rows of ours already."""
    for model in (User, Session):
        if count := model.objects.count():
            raise CommandError(
                f"This database already holds {count} {model._meta.verbose_name_plural}, so nothing was added. "
                "Seed a new database: set DATABASE_URL to one, then run `uv run manage.py migrate`."
            )


def seed(students: int) -> None:
    """Add the people first: every other table refers to them."""
    people = add_users(students)
    roll = add_students(people)
    applications = add_applications(roll, people)
    add_fees(roll, applications, people)
    add_attendance(roll, people)
    add_traces(people)
