"""How findings are written. Each module has `write(result, findings)`, which returns text; walk this folder for the names."""

from __future__ import annotations

import pkgutil
from importlib import import_module

from migration_runbooks.integrity.finding import Finding
from migration_runbooks.integrity.run import Result


def names() -> list[str]:
    return sorted((module.name.rstrip("_") for module in pkgutil.iter_modules(__path__)), key="text json github sarif".find)


def written(name: str, result: Result, findings: list[Finding]) -> str:
    module = f"{name}_" if name == "json" else name
    return import_module(f"{__name__}.{module}").write(result, findings)
