"""Let the wheel carry the runbooks, so that `runbook` works where only the wheel is installed. Hatch calls this."""

from __future__ import annotations

from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CarryRunbooks(BuildHookInterface):
    def initialize(self, version: str, build_data: dict) -> None:
        """Map each runbook's folder into the package; an editable install reads them where they are."""
        if version == "editable":
            return
        folders = [file.parent for file in Path(self.root, "runbooks").glob("*/runbook.toml")]
        build_data["force_include"] |= {str(each): f"migration_runbooks/runbooks/{each.name}" for each in folders}
