from __future__ import annotations

from django.conf import settings
from django.db import models


class Status(models.TextChoices):
    """How far an application has come."""

    RECEIVED = "received"
    ACCEPTED = "accepted"
    REFUSED = "refused"


class Application(models.Model):
    """A family's request for a place in a class; an accepted one leads to a student."""

    number = models.CharField(max_length=12, unique=True)
    applicant_name = models.CharField(max_length=100)
    school_class = models.ForeignKey("students.SchoolClass", on_delete=models.PROTECT)
    applied_on = models.DateField()
    status = models.CharField(max_length=10, choices=Status, default=Status.RECEIVED)
    previous_school = models.CharField(max_length=200, blank=True)
    student = models.OneToOneField("students.Student", null=True, blank=True, on_delete=models.SET_NULL)

    def __str__(self) -> str:
        return self.applicant_name


class Document(models.Model):
    """A paper handed in with an application, such as a birth certificate."""

    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="documents")
    title = models.CharField(max_length=100)
    verified_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["application", "title"], name="one_document_per_title")]

    def __str__(self) -> str:
        return self.title
