"""What the code of a migration writes, as far as it can be read from its text without running it."""

import ast
import re

import sqlparse

QUERIES = {"all", "annotate", "defer", "distinct", "earliest", "exclude", "filter", "first", "get", "iterator", "last", "latest", "only", "order_by", "reverse", "select_for_update", "select_related", "using"}
READS = QUERIES | {"count", "exists", "get_model", "values", "values_list", "append", "format", "items", "join", "keys", "lower", "replace", "split", "strip", "title", "upper", "zfill"}
PURE = {"atomic", "Case", "Cast", "Coalesce", "Concat", "Decimal", "F", "Lower", "OuterRef", "Q", "Subquery", "Substr", "Trim", "Upper", "Value", "When"}
FUNCTIONS = PURE | {"abs", "dict", "enumerate", "int", "len", "list", "max", "min", "print", "range", "round", "set", "sorted", "str", "sum", "tuple", "zip"}
ROWS = {"bulk_create", "create", "get_or_create", "update_or_create"}
UPDATE = re.compile(r"""UPDATE\s+["`]?(\w+)["`]?\s+SET\s+(.+?)(?:\s+WHERE\s.*)?;?""", re.IGNORECASE | re.DOTALL)
COLUMN = re.compile(r"""\s*["`]?(\w+)["`]?\s*=""")
MADE = re.compile(r"CREATE\s+(?:OR\s+REPLACE\s+)?(?:UNIQUE\s+)?(INDEX|VIEW|TRIGGER|FUNCTION|EXTENSION|SEQUENCE|TABLE)\s+(?:IF\s+NOT\s+EXISTS\s+)?(\S+)", re.IGNORECASE)
WHOLE = "*"


class Writes(ast.NodeVisitor):
    """`found`: {(app, model, field)}, with WHOLE for added rows; `unclear`: what can't be read, for people."""

    def __init__(self, state):
        self.state, self.names, self.found, self.unclear = state, {}, set(), []

    def model_of(self, node):
        """(app, model) of the rows that an expression stands for, or None."""
        if isinstance(node, ast.Name):
            return self.names.get(node.id)
        if isinstance(node, ast.Subscript):
            return self.model_of(node.value)
        if isinstance(node, ast.Attribute) and node.attr in ("objects", "_default_manager", "_base_manager"):
            return self.model_of(node.value)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr == "get_model" and all(isinstance(each, ast.Constant) for each in node.args):
                app, model = ".".join(each.value for each in node.args).lower().split(".")
                return app, model
            return self.model_of(node.func.value) if node.func.attr in QUERIES else None
        return None

    def bind(self, target, source):
        if isinstance(source, ast.Call) and ast.unparse(source.func) == "enumerate" and isinstance(target, ast.Tuple):
            target, source = target.elts[1], source.args[0]
        for name in (each.id for each in ast.walk(target) if isinstance(each, ast.Name)):
            self.names[name] = self.model_of(source) if isinstance(target, ast.Name) else None

    def write(self, model, fields, node):
        known = getattr(self.state.models.get(model), "fields", {})
        for field in fields:
            name = field if field in known else (field or "").removesuffix("_id")
            if name in known or (known and field == WHOLE and not has_parent(self.state, model)):
                self.found.add((*model, name))
            else:
                self.unclear.append(f"line {node.lineno}: {ast.unparse(node)}")

    def visit_Assign(self, node):
        for target in node.targets:
            if isinstance(target, ast.Attribute):
                self.write(self.model_of(target.value), [target.attr], node)
            else:
                self.bind(target, node.value)
        self.generic_visit(node)

    def visit_AugAssign(self, node):
        if isinstance(node.target, ast.Attribute):
            self.write(self.model_of(node.target.value), [node.target.attr], node)
        self.generic_visit(node)

    def visit_For(self, node):
        self.bind(node.target, node.iter)
        self.generic_visit(node)

    def visit_Delete(self, node):
        self.unclear.append(f"line {node.lineno}: {ast.unparse(node)}")

    visit_FunctionDef = visit_Lambda = visit_NamedExpr = visit_Global = visit_Delete
    """These give a name another meaning, or none."""

    def visit_Call(self, node):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", None)
        model = self.model_of(node.func.value) if isinstance(node.func, ast.Attribute) else self.model_of(node.func)
        if name == "update" and not node.args:
            self.write(model, [each.arg for each in node.keywords], node)
        elif name == "save" and model:
            given = [each for each in node.keywords if each.arg == "update_fields"]
            self.write(model, [] if given else touched_by_save(self.state, model), node)
        elif name == "bulk_update" and len(node.args) == 2 and isinstance(node.args[1], (ast.List, ast.Tuple)):
            self.write(model, [getattr(each, "value", None) for each in node.args[1].elts], node)
        elif name in ROWS or (model and isinstance(node.func, ast.Name)):
            self.write(model, [WHOLE], node)
        elif name not in (READS | PURE if isinstance(node.func, ast.Attribute) else FUNCTIONS):
            self.unclear.append(f"line {node.lineno}: {ast.unparse(node)}")
        self.generic_visit(node)


def has_parent(state, model):
    """Whether a new row also makes one in the table of a parent model."""
    return any(isinstance(base, str) and "." in base for base in state.models[model].bases)


def touched_by_save(state, model):
    return [name for name, field in state.models[model].fields.items() if getattr(field, "auto_now", False)]


def of_python(code, tree, state):
    """(found, unclear) of a function that stands in the migration's own file."""
    writes = Writes(state)
    functions = [each for each in tree.body if isinstance(each, ast.FunctionDef) and each.name == getattr(code, "__name__", "")]
    if len(functions) != 1 or functions[0].decorator_list or code.__code__.co_firstlineno != functions[0].lineno:
        return set(), ["its code is not a plain function of this file"]
    for statement in functions[0].body:
        writes.visit(statement)
    return writes.found, writes.unclear


def of_sql(sql, state):
    """(found, unclear) of the statements of a RunSQL: an UPDATE is read, what anything else needs is said."""
    columns = {
        model._meta.db_table: {field.column: (model._meta.app_label, model._meta.model_name, field.name) for field in model._meta.concrete_fields}
        for model in state.apps.get_models(include_auto_created=True)
    }
    found, unclear = set(), []
    texts = [sql] if isinstance(sql, str) else [each if isinstance(each, str) else each[0] for each in sql]
    for statement in (each for text in texts for each in sqlparse.split(sqlparse.format(text, strip_comments=True)) if each.strip(" ;\n")):
        update = UPDATE.fullmatch(statement.strip())
        names = [COLUMN.match(part) for part in assignments(update[2])] if update else []
        fields = [columns.get(update[1], {}).get(name and name[1]) for name in names]
        if update and all(fields):
            found.update(fields)
        else:
            unclear.append(needed_for(statement.strip()))
    return found, unclear


def assignments(text):
    """The parts of a SET clause, split at the commas that stand in no brackets and no quotes."""
    parts, depth, quote = [""], 0, ""
    for letter in text:
        quote = "" if letter == quote else quote or (letter if letter in "'\"`" else "")
        depth += 0 if quote else (letter == "(") - (letter == ")")
        if letter == "," and not depth and not quote:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


def needed_for(statement):
    made = MADE.match(statement)
    shown = statement if len(statement) < 70 else f"{statement[:67]}..."
    if made:
        return f"{shown}\n    needs: DROP {made[1].upper()} {made[2].split('(')[0]}"
    if statement.upper().startswith("INSERT"):
        return f"{shown}\n    needs: a DELETE of the rows that it inserted, and of no others"
    return f"{shown}\n    needs: the statement that takes it back"
