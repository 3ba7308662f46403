"""A generated Django project with as many migrations as asked for: the same one each time."""

from __future__ import annotations

from pathlib import Path

A_CHAIN = 25
"""Migrations of one app; as many apps as it takes."""

MANAGE = """\
import os, sys
from django.core.management import execute_from_command_line
os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
execute_from_command_line(sys.argv)
"""

SETTINGS = """\
import os
import dj_database_url
dj_database_url.register("mariadb", "django.db.backends.mysql")
SECRET_KEY = "generated"
INSTALLED_APPS = {apps!r}
DATABASES = {{"default": dj_database_url.parse(os.environ["DATABASE_URL"])}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
"""

DRIVER = "import pymysql\npymysql.install_as_MySQLdb()\n"

ID = '("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"))'

FIRST = """\
        migrations.CreateModel("Thing", [{id}, ("name", models.CharField(max_length=40))]),
        migrations.CreateModel("Part", [{id}, ("thing", models.ForeignKey("{app}.Thing", models.CASCADE, related_name="+")){other}]),
"""

NEXT = (
    ('migrations.AddField("thing", "a{n}", models.IntegerField(null=True))', "thing", "a{n} = models.IntegerField(null=True)"),
    ('migrations.AddField("part", "b{n}", models.CharField(max_length=20, default=""))', "part", 'b{n} = models.CharField(max_length=20, default="")'),
    ('migrations.AlterField("thing", "name", models.CharField(max_length=40 + {n}))', "", ""),
    ('migrations.AddField("part", "c{n}", models.ForeignKey("{app}.Thing", models.SET_NULL, null=True, related_name="+"))', "part", 'c{n} = models.ForeignKey("{app}.Thing", models.SET_NULL, null=True, related_name="+")'),
    ("migrations.RunPython(migrations.RunPython.noop, migrations.RunPython.noop)", "", ""),
)


def generate(folder: Path, count: int) -> Path:
    """Write a project with `count` migrations into a new folder, and return it."""
    sizes = [min(A_CHAIN, count - start) for start in range(0, count, A_CHAIN)]
    names = [f"app{number:02}" for number in range(len(sizes))]
    folder.mkdir(parents=True)
    (folder / "manage.py").write_text(DRIVER + MANAGE)
    (folder / "settings.py").write_text(SETTINGS.format(apps=["django.contrib.contenttypes", "migration_runbooks", *names]))
    for name, before, size in zip(names, [None, *names], sizes, strict=False):
        write_app(folder / name, before, size)
    return folder


def write_app(folder: Path, before: str | None, size: int) -> None:
    """Write an app whose parts point to the things of the app before it."""
    (folder / "migrations").mkdir(parents=True)
    for package in (folder, folder / "migrations"):
        (package / "__init__.py").touch()
    other = f', ("other", models.ForeignKey("{before}.Thing", models.CASCADE, related_name="+"))' if before else ""
    first = FIRST.format(app=folder.name, other=other, id=ID)
    write_migration(folder, 1, f'("{before}", "0001_step")' if before else "", first)
    fields: dict[str, list[str]] = {"thing": [], "part": []}
    length = 40
    for number in range(2, size + 1):
        operation, model, field = (text.format(n=number, app=folder.name) for text in NEXT[number % len(NEXT)])
        write_migration(folder, number, f'("{folder.name}", "{number - 1:04}_step")', f"        {operation},\n")
        if model:
            fields[model].append(field)
        elif "AlterField" in operation:
            length = 40 + number
    write_models(folder, before, length, fields)


def write_migration(folder: Path, number: int, dependency: str, operations: str) -> None:
    (folder / "migrations" / f"{number:04}_step.py").write_text(
        "from django.db import migrations, models\n\n\nclass Migration(migrations.Migration):\n"
        f"    dependencies = [{dependency}]\n    operations = [\n{operations}    ]\n"
    )


def write_models(folder: Path, before: str | None, length: int, fields: dict[str, list[str]]) -> None:
    other = [f'other = models.ForeignKey("{before}.Thing", models.CASCADE, related_name="+")'] if before else []
    thing = [f"name = models.CharField(max_length={length})", *fields["thing"]]
    part = ['thing = models.ForeignKey(Thing, models.CASCADE, related_name="+")', *other, *fields["part"]]
    classes = [f"class {name}(models.Model):\n    " + "\n    ".join(body) for name, body in (("Thing", thing), ("Part", part))]
    (folder / "models.py").write_text("from django.db import models\n\n\n" + "\n\n\n".join(classes) + "\n")
