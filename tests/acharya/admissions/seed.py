"""The applications to the sample school, with their documents."""

from __future__ import annotations

from datetime import date, timedelta

from admissions.models import Application, Document, Status
from students.models import Student
from users.seed import People, name_of

SCHOOLS = [
    "",
    "Saraswati Vidya Mandir",
    "Saint Xavier's Higher Secondary School for Boys and Girls, Old Station Road, near the Clock Tower, Pune 411001",
]
UNSUCCESSFUL = [Status.RECEIVED, Status.REFUSED]
FIRST_DAY = date(2026, 1, 12)


def add_applications(students: list[Student], people: People) -> list[Application]:
    """Add an accepted application for every student and unsuccessful ones for a fifth as many; return the accepted."""
    accepted = [application(index, student, Status.ACCEPTED) for index, student in enumerate(students)]
    others = [
        application(len(students) + index, None, UNSUCCESSFUL[index % 2], students[index].school_class)
        for index in range((len(students) + 4) // 5)
    ]
    applications = Application.objects.bulk_create([*accepted, *others])
    add_documents(applications, people)
    return applications[: len(students)]


def application(index: int, student: Student | None, status: Status, school_class=None) -> Application:
    """Return an application that is not saved yet, for `student` or for a child who is none."""
    return Application(
        number=f"A{index + 1:05}",
        applicant_name=student.full_name if student else " ".join(name_of(index + 1)),
        school_class=student.school_class if student else school_class,
        applied_on=FIRST_DAY + timedelta(days=index % 60),
        status=status,
        previous_school=SCHOOLS[index % len(SCHOOLS)],
        student=student,
    )


def add_documents(applications: list[Application], people: People) -> None:
    """Add two documents an application; nobody has verified those of the applications that were not accepted."""
    Document.objects.bulk_create(
        Document(
            application=application,
            title=title,
            verified_by=people.teachers[index % len(people.teachers)] if application.student_id else None,
        )
        for index, application in enumerate(applications)
        for title in ("Birth certificate", "Last report card")
    )
