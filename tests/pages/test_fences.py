"""The line after the backticks: what it may say, and what is refused with which words."""

from __future__ import annotations

import pytest
from migration_runbooks.pages.fences import DEFAULT_TIMEOUT, Fence, FenceError, parse_info

KINDS = {
    "bash": Fence("bash", "bash"),
    "bash  ": Fence("bash", "bash"),
    'bash {exit="1"}': Fence("bash", "bash", exit=1),
    'bash {timeout="2.5" requires="django>=6.0"}': Fence("bash", "bash", timeout=2.5, requires="django>=6.0"),
    'bash exit="3"': Fence("bash", "bash", exit=3),
    "output": Fence("output", "output"),
    "python": Fence("python", "python"),
    'python title="students/models.py"': Fence("file", "python", title="students/models.py"),
    'python {title="./manage.py"}': Fence("file", "python", title="./manage.py"),
    'text title=".runbook/x/note.txt"': Fence("file", "text", title=".runbook/x/note.txt"),
    'diff title="students/models.py"': Fence("diff", "diff", title="students/models.py"),
    "sql": Fence("illustration", "sql"),
    'bash {run="no: pages a person on call"}': Fence("not run", "bash", not_run="pages a person on call"),
    'diff {title="a/b.py" run="no: why"}': Fence("not run", "diff", title="a/b.py", not_run="why"),
}

REFUSED = {
    "": "needs a language",
    "   ": "needs a language",
    "sh": "unknown language 'sh': write bash",
    "console": "unknown language 'console': write bash and output",
    "bsah": "unknown language 'bsah'",
    "Bash": "unknown language 'Bash'",
    "{.bash}": "cannot read the fence",
    "bash {.no-copy}": "cannot read the option",
    "bash {#name}": "cannot read the option",
    'bash {exit="1"': "cannot read the fence",
    'bash{exit="1"}': "cannot read the fence",
    'bash {exit="1"} title="a/b"': "cannot read the fence",
    "bash {exit=1}": "cannot read the option",
    'bash {exits="1"}': "unknown option 'exits'",
    'bash hl_lines="1"': "unknown option 'hl_lines'",
    'bash {exit="1" exit="2"}': "given twice",
    'bash {exit="0"}': "not a failing status",
    'bash {exit="256"}': "not a failing status",
    'bash {exit="one"}': "not a failing status",
    'bash {timeout="0"}': "seconds above 0",
    'bash {timeout="2s"}': "seconds above 0",
    'bash {requires="django"}': "and a version",
    'bash {requires="djagno>=6"}': "needs one of django",
    'bash {requires="django >>= 6"}': "cannot be read",
    'bash {run="no"}': "gives no reason",
    'bash {run="no:  "}': "gives no reason",
    'bash {run="yes"}': "gives no reason",
    'bash {run="skip: later"}': "gives no reason",
    'python title="models.py"': "is not a path inside the project",
    'python title="/etc/models.py"': "is not a path inside the project",
    'python title="app/../../models.py"': "is not a path inside the project",
    "diff": "names the file that it changes",
    'output {exit="1"}': "takes no options",
    'sql {run="no: x"}': "takes no options",
    'sql {timeout="3"}': "is not run",
    'python {title="a/b.py" exit="1"}': "'exit' belongs to a block that is run",
    'bash {run="no: x" exit="1"}': "'exit' belongs to a block that is run",
}


@pytest.mark.parametrize("info", KINDS)
def test_reads(info):
    assert parse_info(info) == KINDS[info]


@pytest.mark.parametrize("info", REFUSED)
def test_refuses(info):
    with pytest.raises(FenceError) as refused:
        parse_info(info)
    assert REFUSED[info] in str(refused.value)


def test_a_block_has_a_limit_of_time_without_saying_so():
    assert parse_info("bash").timeout == DEFAULT_TIMEOUT > 0
