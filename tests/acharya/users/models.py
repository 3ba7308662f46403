from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models


class Role(models.TextChoices):
    """Why somebody has an account."""

    STUDENT = "student"
    TEACHER = "teacher"
    PARENT = "parent"
    STAFF = "staff"


class User(AbstractUser):
    """Everyone who signs in: students, teachers, parents and office staff."""

    role = models.CharField(max_length=10, choices=Role, default=Role.STUDENT)
    phone_number = models.CharField(max_length=20, blank=True)

    class Meta(AbstractUser.Meta):
        indexes = [models.Index(fields=["role", "last_name"], name="user_role_name_idx")]
