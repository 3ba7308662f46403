"""Tables and columns as people make them by hand, for the runbooks that adopt them."""

from __future__ import annotations

RENAMED = "ALTER TABLE fees_scholarship RENAME COLUMN percent TO per_cent"
TO_BIGINT = "ALTER TABLE fees_scholarship ALTER COLUMN percent TYPE bigint"
NULLABLE = "ALTER TABLE fees_scholarship MODIFY percent smallint unsigned NULL CHECK (`percent` >= 0)"


def rebuilt(columns: str) -> list[str]:
    """SQLite has no statement that changes a column: make the table anew, its rows kept."""
    return [
        f"CREATE TABLE by_hand ({columns})",
        "INSERT INTO by_hand (id, name, percent) SELECT id, name, percent FROM fees_scholarship",
        "DROP TABLE fees_scholarship",
        "ALTER TABLE by_hand RENAME TO fees_scholarship",
    ]


ID, NAME = "id integer NOT NULL PRIMARY KEY AUTOINCREMENT", "name varchar(50) NOT NULL UNIQUE"
HAND_MADE = {
    # Statements; but for "equal" the last one is a line that diagnose must print.
    "equal": {
        "sqlite": rebuilt(f"percent SMALLINT UNSIGNED NOT NULL CHECK (percent >= 0), {ID}, {NAME}"),
        "postgresql": [
            "ALTER TABLE fees_scholarship DROP CONSTRAINT fees_scholarship_percent_check",
            "ALTER TABLE fees_scholarship ADD CONSTRAINT by_hand CHECK (percent >= 0)",
            "ALTER TABLE fees_scholarship ADD COLUMN other integer",
            "ALTER TABLE fees_scholarship DROP COLUMN other",
        ],
        "mariadb": [
            "ALTER TABLE fees_scholarship DROP INDEX name",
            "ALTER TABLE fees_scholarship ADD UNIQUE INDEX by_hand (name)",
        ],
    },
    "missing column": {
        "sqlite": [RENAMED, "fees_scholarship lacks: column percent smallint unsigned NOT NULL"],
        "postgresql": [RENAMED, "fees_scholarship lacks: column percent smallint NOT NULL"],
        "mariadb": [
            "ALTER TABLE fees_scholarship DROP COLUMN percent",
            "fees_scholarship lacks: column percent smallint(5) unsigned NOT NULL CHECK(percent >= 0)",
        ],
    },
    "type": {
        "sqlite": [
            *rebuilt(f"{ID}, {NAME}, percent bigint NOT NULL CHECK (percent >= 0)"),
            "fees_scholarship has instead or besides: column percent bigint NOT NULL",
        ],
        "postgresql": [TO_BIGINT, "fees_scholarship has instead or besides: column percent bigint NOT NULL"],
        "mariadb": [
            "ALTER TABLE fees_scholarship MODIFY percent bigint NOT NULL CHECK (`percent` >= 0)",
            "fees_scholarship has instead or besides: column percent bigint(20) NOT NULL CHECK(percent >= 0)",
        ],
    },
    "NULL": {
        "sqlite": [
            *rebuilt(f"{ID}, {NAME}, percent smallint unsigned NULL CHECK (percent >= 0)"),
            "fees_scholarship has instead or besides: column percent smallint unsigned\n",
        ],
        "postgresql": [
            "ALTER TABLE fees_scholarship ALTER COLUMN percent DROP NOT NULL",
            "fees_scholarship has instead or besides: column percent smallint\n",
        ],
        "mariadb": [NULLABLE, "fees_scholarship has instead or besides: column percent smallint(5) unsigned DEFAULT NULL"],
    },
    "unique": {
        "sqlite": [
            *rebuilt(f"{ID}, name varchar(50) NOT NULL, percent smallint unsigned NOT NULL CHECK (percent >= 0)"),
            "fees_scholarship lacks: UNIQUE(name)",
        ],
        "postgresql": [
            "ALTER TABLE fees_scholarship DROP CONSTRAINT fees_scholarship_name_key",
            "fees_scholarship lacks: UNIQUE(name)",
        ],
        "mariadb": ["ALTER TABLE fees_scholarship DROP INDEX name", "fees_scholarship lacks: UNIQUE KEY(name)"],
    },
    "check": {
        "sqlite": [
            *rebuilt(f"{ID}, {NAME}, percent smallint unsigned NOT NULL CHECK (percent > 0)"),
            "fees_scholarship has instead or besides: CHECK(percent > 0)",
        ],
        "postgresql": [
            "ALTER TABLE fees_scholarship ADD CHECK (percent < 200)",
            "fees_scholarship has instead or besides: CHECK((percent < 200))",
        ],
        "mariadb": [
            "ALTER TABLE fees_scholarship ADD CONSTRAINT low CHECK (percent < 200)",
            "fees_scholarship has instead or besides: CHECK(percent < 200)",
        ],
    },
    "index": {
        database: ["CREATE INDEX by_hand ON fees_scholarship (percent)", f"fees_scholarship has instead or besides: {line}"]
        for database, line in (
            ("sqlite", "INDEX(percent)"),
            ("postgresql", "INDEX btree(percent)"),
            ("mariadb", "KEY(percent)"),
        )
    },
    "foreign key": {
        "sqlite": [
            "DROP TABLE fees_scholarship_students",
            "CREATE TABLE fees_scholarship_students (id integer NOT NULL PRIMARY KEY AUTOINCREMENT,"
            " scholarship_id bigint NOT NULL REFERENCES fees_scholarship (id), student_id bigint NOT NULL)",
            "fees_scholarship_students lacks: FOREIGN KEY(student_id) REFERENCES students_student(id)",
        ],
        "postgresql": [
            "ALTER TABLE fees_scholarship_students DROP COLUMN student_id",
            "ALTER TABLE fees_scholarship_students ADD COLUMN student_id bigint NOT NULL DEFAULT 1"
            " REFERENCES students_student (id) ON DELETE CASCADE",
            "fees_scholarship_students lacks: FOREIGN KEY(student_id) REFERENCES students_student(id) DEFERRABLE INITIALLY DEFERRED",
        ],
        "mariadb": [
            "ALTER TABLE fees_scholarship_students ADD CONSTRAINT by_hand FOREIGN KEY (student_id)"
            " REFERENCES students_student (id) ON DELETE CASCADE",
            "fees_scholarship_students has instead or besides: FOREIGN KEY(student_id) REFERENCES students_student(id) ON DELETE CASCADE",
        ],
    },
}


def forget(sandbox, app: str, name: str) -> None:
    """Lose the record of a migration, and leave all that it made."""
    sandbox.execute(f"DELETE FROM django_migrations WHERE app = '{app}' AND name = '{name}'")
