"""Does the live database hold what the backup holds?"""

from __future__ import annotations

import sys

sys.path.insert(0, ".runbook/restore-database")
from backup_folder import told_plainly  # noqa: E402
from chosen_backup import chosen, live_differences  # noqa: E402

with told_plainly(status=2):
    backup, record = chosen()
    lines = live_differences(record)
    print("\n".join(lines) or "The database holds exactly what the backup holds.")
    print(f"BACKUP={backup}")
sys.exit(1 if lines else 0)
