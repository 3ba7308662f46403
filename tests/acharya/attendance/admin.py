from __future__ import annotations

from django.contrib import admin

from attendance.models import LeaveRequest, Record


@admin.register(Record)
class RecordAdmin(admin.ModelAdmin):
    list_display = ("day", "student", "mark")
    list_filter = ("mark",)
    autocomplete_fields = ("student", "marked_by")


@admin.register(LeaveRequest)
class LeaveRequestAdmin(admin.ModelAdmin):
    list_display = ("student", "first_day", "last_day", "approved_at")
    autocomplete_fields = ("student",)
