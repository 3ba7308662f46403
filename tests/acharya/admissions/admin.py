from __future__ import annotations

from django.contrib import admin

from admissions.models import Application, Document


class DocumentInline(admin.TabularInline):
    model = Document
    extra = 0
    autocomplete_fields = ("verified_by",)


@admin.register(Application)
class ApplicationAdmin(admin.ModelAdmin):
    list_display = ("number", "applicant_name", "school_class", "status")
    list_filter = ("status",)
    search_fields = ("number", "applicant_name")
    autocomplete_fields = ("student",)
    inlines = (DocumentInline,)
