from __future__ import annotations

from django.contrib import admin

from fees.models import FeeHead, Invoice, Payment, Scholarship

admin.site.register([FeeHead, Scholarship])


@admin.register(Invoice)
class InvoiceAdmin(admin.ModelAdmin):
    list_display = ("number", "student", "amount", "due_on")
    search_fields = ("number",)
    autocomplete_fields = ("student", "application")


@admin.register(Payment)
class PaymentAdmin(admin.ModelAdmin):
    list_display = ("receipt_number", "invoice", "amount", "paid_at")
    autocomplete_fields = ("invoice", "received_by")
