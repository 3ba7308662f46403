"""What `scripts/bench` measures: check_migration_integrity against what a reader would run instead."""
