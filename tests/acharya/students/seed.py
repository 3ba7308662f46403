"""The classes and the students of the sample school."""

from __future__ import annotations

from datetime import date, timedelta

from students.models import SchoolClass, Student
from users.seed import People, name_of

YEAR = 2026
GRADES = 6
DIVISIONS = "AB"


def add_students(people: People) -> list[Student]:
    """Add the classes, and a student for every entry of `people.pupils`; return the students.

    Two students in a row are siblings, and every fifth student has two guardians.
    """
    classes = SchoolClass.objects.bulk_create(
        SchoolClass(name=f"{grade}{division}", year=YEAR) for grade in range(1, GRADES + 1) for division in DIVISIONS
    )
    students = Student.objects.bulk_create(
        Student(
            admission_number=f"S{index + 1:05}",
            full_name=" ".join(name_of(index + 1)),
            date_of_birth=date(YEAR - 6 - index % GRADES, 1, 1) + timedelta(days=index * 11 % 365),
            school_class=classes[index % len(classes)],
            user=user,
        )
        for index, user in enumerate(people.pupils)
    )
    for older, younger in zip(students[::2], students[1::2], strict=False):
        younger.older_sibling = older
    Student.objects.bulk_update(students[1::2], ["older_sibling"], batch_size=500)
    add_guardians(students, people)
    return students


def add_guardians(students: list[Student], people: People) -> None:
    """Link every student with one parent, and every fifth student with the next parent too."""
    guardianship = Student.guardians.through
    pairs = set()
    for index, student in enumerate(students):
        pairs.add((student.pk, people.parents[index // 2].pk))
        if index % 5 == 0:
            pairs.add((student.pk, people.parents[(index // 2 + 1) % len(people.parents)].pk))
    guardianship.objects.bulk_create(guardianship(student_id=child, user_id=parent) for child, parent in sorted(pairs))
