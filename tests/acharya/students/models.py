from __future__ import annotations

from django.conf import settings
from django.db import models


class SchoolClass(models.Model):
    """One class in one school year, such as 5A in 2026."""

    name = models.CharField(max_length=10)
    year = models.PositiveSmallIntegerField()

    class Meta:
        verbose_name_plural = "school classes"
        constraints = [models.UniqueConstraint(fields=["name", "year"], name="one_class_per_name_and_year")]

    def __str__(self) -> str:
        return f"{self.name} ({self.year})"


class Student(models.Model):
    """A child on the school's roll; only older children have an account of their own."""

    admission_number = models.CharField(max_length=12, unique=True)
    full_name = models.CharField(max_length=100)
    date_of_birth = models.DateField()
    school_class = models.ForeignKey(SchoolClass, on_delete=models.PROTECT, related_name="students")
    user = models.OneToOneField(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)
    guardians = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True, related_name="children")
    older_sibling = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL)

    class Meta:
        indexes = [models.Index(fields=["school_class", "full_name"], name="student_class_name_idx")]

    def __str__(self) -> str:
        return self.full_name
