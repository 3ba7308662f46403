"""The people of the sample school, and the traces that they leave in Django's own tables."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.contrib.admin.models import CHANGE, DELETION, LogEntry
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session

from users.models import Role, User

SCHOOL_OPENED = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)
FIRST_NAMES = ["Asha", "Bilal", "Chitra", "Dev", "Esha", "Farid", "Gita", "Harsh", "Ila", "Jai", "Kavya", "Zoë"]
LAST_NAMES = ["Acharya", "Bose", "Chandra", "Das", "Fernandes", "Gupta", "Iyer"]
TEACHERS = 6


@dataclass
class People:
    """Everyone with an account, by what they do. `pupils` holds None for a child without an account."""

    head: User
    teachers: list[User]
    parents: list[User]
    pupils: list[User | None]


def name_of(index: int) -> tuple[str, str]:
    """Return the first and the last name of the person at `index`."""
    return FIRST_NAMES[index % len(FIRST_NAMES)], LAST_NAMES[index // len(FIRST_NAMES) % len(LAST_NAMES)]


def add_users(students: int) -> People:
    """Add the head, the teachers, a parent for every two students and an account for every third student."""
    # A fixed salt and one round make the same hash each time, at once. The password is `acharya`.
    password = PBKDF2PasswordHasher().encode("acharya", "fixed-salt-of-the-sample", iterations=1)
    head = user("head", 0, Role.STAFF, password, is_staff=True, is_superuser=True)
    teachers = [user(f"teacher{n}", n, Role.TEACHER, password, is_staff=True) for n in range(1, TEACHERS + 1)]
    parents = [user(f"parent{n}", n, Role.PARENT, password) for n in range(1, (students + 1) // 2 + 1)]
    pupils = [user(f"student{n}", n, Role.STUDENT, password) if n % 3 == 0 else None for n in range(1, students + 1)]
    User.objects.bulk_create([head, *teachers, *parents, *filter(None, pupils)])
    grant_permissions(head, teachers)
    return People(head, teachers, parents, pupils)


def user(username: str, index: int, role: Role, password: str, **more) -> User:
    """Return a new user who is not saved yet; every other one has signed in."""
    first, last = name_of(index)
    return User(
        username=username,
        first_name=first,
        last_name=last,
        email=f"{username}@acharya.example",
        role=role,
        phone_number=f"+91 20 5550 {index:04}" if role != Role.STUDENT else "",
        password=password,
        date_joined=SCHOOL_OPENED,
        last_login=SCHOOL_OPENED + timedelta(hours=index) if index % 2 else None,
        **more,
    )


def grant_permissions(head: User, teachers: list[User]) -> None:
    """Put the staff into their groups, and let the first teacher change invoices in person."""
    office, _ = Group.objects.get_or_create(name="Office")
    teaching, _ = Group.objects.get_or_create(name="Teachers")
    office.permissions.set(Permission.objects.filter(content_type__app_label__in=["admissions", "fees"]))
    teaching.permissions.set(Permission.objects.filter(content_type__app_label="attendance"))
    office.user_set.add(head)
    teaching.user_set.add(*teachers)
    teachers[0].user_permissions.set(Permission.objects.filter(codename="change_invoice"))


def add_traces(people: People) -> None:
    """Add what Django itself writes while people work: the admin's log and the sessions."""
    users = ContentType.objects.get_for_model(User)
    LogEntry.objects.bulk_create(
        LogEntry(
            user=people.head,
            content_type=users,
            object_id=str(teacher.pk),
            object_repr=str(teacher),
            action_flag=CHANGE,
            change_message='[{"changed": {"fields": ["Role"]}}]',
            action_time=SCHOOL_OPENED + timedelta(minutes=teacher.pk),
        )
        for teacher in people.teachers
    )
    LogEntry.objects.create(
        user=people.head, object_repr="A kind of row that is gone", action_flag=DELETION, action_time=SCHOOL_OPENED
    )
    # Real session data carries a signature with the time in it, which would differ on every run.
    Session.objects.bulk_create(
        Session(
            session_key=f"sample-session-{n:017}",
            session_data=f"sample data {n}",
            expire_date=SCHOOL_OPENED + timedelta(days=14),
        )
        for n in range(3)
    )
