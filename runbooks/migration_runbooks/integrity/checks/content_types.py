"""Content types of models that are gone."""

from __future__ import annotations

from collections.abc import Iterator

from django.apps import apps

from migration_runbooks.integrity.examined import Examined
from migration_runbooks.integrity.finding import Finding


def check(examined: Examined) -> Iterator[Finding]:
    if not apps.is_installed("django.contrib.contenttypes") or "django_content_type" not in examined.live:
        return
    models = {(model._meta.app_label, model._meta.model_name) for model in apps.get_models(include_swapped=True)}
    known = {record.app for record in examined.history} | {config.label for config in apps.get_app_configs()}
    for app, model in sorted(examined.query("SELECT app_label, model FROM django_content_type")):
        if (app, model) not in models:
            installed = app in {config.label for config in apps.get_app_configs()}
            yield Finding(
                id="stale-content-type",
                level="warning",
                app=app,
                object=f"{app}.{model}",
                message=f"There is a content type for {app}.{model}, and no such model"
                + ("." if installed or app not in known else f": {app} is no longer installed."),
                hint="python manage.py remove_stale_contenttypes lists what it would delete, rows that depend on it included"
                + ("." if installed else "; with --include-stale-apps."),
            )
