from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin

from users.models import User


@admin.register(User)
class SchoolUserAdmin(UserAdmin):
    """Django's own form, with what the school adds to a user."""

    list_display = (*UserAdmin.list_display, "role")
    list_filter = (*UserAdmin.list_filter, "role")
    fieldsets = (*UserAdmin.fieldsets, ("School", {"fields": ("role", "phone_number")}))
