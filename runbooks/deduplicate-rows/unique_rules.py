"""What the waiting migrations want to be unique, and the groups of rows that are not."""

from dataclasses import dataclass

from django.db.migrations.operations import AddConstraint, AlterField, AlterUniqueTogether
from django.db.models import Count, F, UniqueConstraint


@dataclass
class Rule:
    """Values that a migration wants to be unique in the rows of one model."""

    step: object
    model: type
    fields: tuple
    constraint: object = None

    @property
    def table(self):
        return self.model._meta.db_table

    @property
    def columns(self):
        """The columns, separated by spaces; the constraint's name where it is about expressions."""
        if not self.fields:
            return self.constraint.name
        return " ".join(self.model._meta.get_field(name).column for name in self.fields)

    def rows(self, alias):
        rows, condition = self.model._base_manager.using(alias), getattr(self.constraint, "condition", None)
        rows = rows.filter(condition) if condition else rows.all()
        wanted = [F(name) for name in self.fields] or [getattr(each, "expression", each) for each in self.constraint.expressions]
        return rows.annotate(**{f"unique_{number}": each for number, each in enumerate(wanted)})

    def groups(self, alias):
        """[(values, primary keys)] of the rows that hold the same values; NULL equals nothing unless the rule says so."""
        rows = self.rows(alias)
        names = list(rows.query.annotations)
        if getattr(self.constraint, "nulls_distinct", None) is not False:
            for name in names:
                rows = rows.filter(**{f"{name}__isnull": False})
        counted = rows.order_by().values(*names).annotate(how_many=Count("pk")).filter(how_many__gt=1).order_by(*names)
        for values in counted.values_list(*names):
            same = {f"{name}__isnull" if value is None else name: value is None or value for name, value in zip(names, values, strict=True)}
            yield values, list(rows.filter(**same).order_by("pk").values_list("pk", flat=True))


def is_enforced(constraint, editor):
    """Whether Django makes the constraint on this database: MariaDB has none with a condition or an expression."""
    names = ("condition", "deferrable", "include", "expressions", "nulls_distinct")
    return editor._unique_supported(**{name: getattr(constraint, name) for name in names})


def rules(steps, editor):
    for step in steps:
        operation = step.operation
        if isinstance(operation, AlterField):
            old, new = step.fields()
            if new.unique and not old.unique:
                yield Rule(step, step.model(step.before), (operation.name,))
        elif isinstance(operation, AlterUniqueTogether):
            key = step.app, operation.name_lower
            was = {tuple(each) for each in step.before.models[key].options.get("unique_together") or ()}
            for fields in sorted({tuple(each) for each in operation.option_value or ()} - was):
                yield Rule(step, step.before.apps.get_model(*key), fields)
        elif isinstance(operation, AddConstraint) and isinstance(operation.constraint, UniqueConstraint):
            rule = Rule(step, step.model(step.before), tuple(operation.constraint.fields), operation.constraint)
            yield from [rule] if is_enforced(operation.constraint, editor) else []
