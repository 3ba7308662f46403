from __future__ import annotations

from django.contrib import admin

from students.models import SchoolClass, Student

admin.site.register(SchoolClass)


@admin.register(Student)
class StudentAdmin(admin.ModelAdmin):
    list_display = ("admission_number", "full_name", "school_class")
    list_filter = ("school_class",)
    search_fields = ("admission_number", "full_name")
    autocomplete_fields = ("user", "guardians", "older_sibling")
