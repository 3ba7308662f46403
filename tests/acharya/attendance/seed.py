"""One week of the sample school's register."""

from __future__ import annotations

from datetime import date, timedelta

from attendance.models import LeaveRequest, Mark, Record
from students.models import Student
from users.seed import SCHOOL_OPENED, People

WEEK = [date(2026, 6, 1) + timedelta(days=day) for day in range(5)]


def add_attendance(students: list[Student], people: People) -> None:
    """Add a record for each student and day of the week, and a request for leave for every sixth student."""
    Record.objects.bulk_create(
        Record(
            student=student,
            day=day,
            mark=mark(index + number),
            marked_by=None if number == 4 else people.teachers[index % len(people.teachers)],
        )
        for index, student in enumerate(students)
        for number, day in enumerate(WEEK)
    )
    LeaveRequest.objects.bulk_create(
        LeaveRequest(
            student=student,
            first_day=WEEK[0] + timedelta(days=30 + index),
            last_day=WEEK[0] + timedelta(days=30 + index + index % 3),
            reason="A wedding in the family." if index % 2 else "",
            approved_at=SCHOOL_OPENED + timedelta(days=index) if index % 2 else None,
        )
        for index, student in enumerate(students[::6])
    )


def mark(index: int) -> Mark:
    """Return the mark at `index`: two in eleven are not plain presence."""
    return {4: Mark.ABSENT, 9: Mark.LATE}.get(index % 11, Mark.PRESENT)
