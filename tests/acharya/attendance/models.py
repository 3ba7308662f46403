from __future__ import annotations

from django.conf import settings
from django.db import models


class Mark(models.TextChoices):
    """What a teacher writes in the register."""

    PRESENT = "present"
    ABSENT = "absent"
    LATE = "late"


class Record(models.Model):
    """Whether one student was at school on one day."""

    student = models.ForeignKey("students.Student", on_delete=models.CASCADE, related_name="attendance")
    day = models.DateField()
    mark = models.CharField(max_length=10, choices=Mark)
    marked_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["student", "day"], name="one_record_per_student_and_day")]

    def __str__(self) -> str:
        return f"{self.student_id} on {self.day}: {self.mark}"


class LeaveRequest(models.Model):
    """A parent's request that a student may stay away, first and last day included."""

    student = models.ForeignKey("students.Student", on_delete=models.CASCADE, related_name="leave_requests")
    first_day = models.DateField()
    last_day = models.DateField()
    reason = models.TextField(blank=True)
    approved_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(last_day__gte=models.F("first_day")), name="leave_ends_after_it_begins"
            )
        ]

    def __str__(self) -> str:
        return f"{self.student_id}: {self.first_day} to {self.last_day}"
