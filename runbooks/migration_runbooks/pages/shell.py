"""One bash that lives as long as a page: its variables, functions and working folder last from block to block."""

from __future__ import annotations

import os
import re
import select
import shlex
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from .snippets import Origin

# Leaves the block at its first failing command, as `set -e` would, but keeps the shell alive. A subshell only ends itself.
FAILED = (
    '__rc=$?; if ((!BASH_SUBSHELL)) && [[ $- == *e* || $__failed ]]; then __failed=1; set +e; '
    'printf "failed %s %s\\n" "$LINENO" "${BASH_SOURCE[0]-}" >&9; [[ ${#BASH_SOURCE[@]} == 0 ]] || return "$__rc"; fi'
)
BLOCK = """\
set -eEuo pipefail; __failed=; trap {failed} ERR
source {file} </dev/null >{output} 2>&1
__rc=$?; trap - ERR; set +e; printf 'done %s\\n' "$__rc" >&9
"""
POLL_SECONDS = 0.05


@dataclass
class Outcome:
    """How a block ended.

    `status` is that of its last or first failing command, None after a timeout; `output` is stdout and stderr together;
    `where` is the failing line, if bash told, which may be in a function of an earlier block; `stopped` the line of the
    text (from 0) at which it was left; `ended` says that the shell is gone, so that no block can follow.
    """

    status: int | None
    output: str
    where: Origin | None
    stopped: int | None
    ended: bool


class Shell:
    """A bash process that runs texts one after the other under `set -euo pipefail`.

    `folder` is a folder for its own files, `project` the first working folder, `environment` all that it inherits.
    """

    def __init__(self, folder: Path, project: Path, environment: dict[str, str]):
        self.folder = folder
        self.texts: dict[str, dict[int, Origin]] = {}
        folder.mkdir(parents=True, exist_ok=True)
        self.reports, reporting = os.pipe()
        self.process = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            cwd=project,
            # On a reader's terminal the lines of stdout and stderr appear in the order in which they were written.
            env={**environment, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=[reporting],
            start_new_session=True,
        )
        self._send(f"exec 9>&{reporting} {reporting}>&-\n" if reporting != 9 else "\n")
        os.close(reporting)

    def run(self, text: str, origin: list[Origin], timeout: float) -> Outcome:
        """Run a text in the shell; `origin` tells where each of its lines was written, `timeout` is in seconds."""
        file, output = self._write(text, origin)
        quoted = {"file": shlex.quote(str(file)), "output": shlex.quote(str(output))}
        self._send(BLOCK.format(failed=shlex.quote(FAILED), **quoted))
        status, failures, ended = self._wait(timeout)
        printed = output.read_text(encoding="utf-8", errors="replace") if output.exists() else ""
        where = next(filter(None, (self._place(*each) for each in failures)), None) or self._complained(file, printed)
        stopped = [number - origin[0][1] for name, number in failures if name == str(file)]
        shown = re.sub(rf"{re.escape(str(file))}: line \d+: ", "bash: ", printed)
        return Outcome(status, shown, where if status else None, stopped[-1] if stopped else None, ended)

    def close(self) -> None:
        """End the shell and everything that its blocks left running."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        if not self.process.stdin.closed:
            try:
                self.process.stdin.close()
            except BrokenPipeError:
                pass
            os.close(self.reports)

    def _write(self, text: str, origin: list[Origin]) -> tuple[Path, Path]:
        """Write the text to a file in which bash counts the lines as their author does, and name its output's file."""
        source, first = origin[0]
        place = self.folder / f"{len(self.texts) + 1:03}"
        place.mkdir()
        file = place / source.name
        file.write_text("\n" * (first - 1) + text, encoding="utf-8")
        self.texts[str(file)] = dict(enumerate(origin, first))
        return file, place / "output"

    def _send(self, commands: str) -> None:
        self.process.stdin.write(commands.encode())
        self.process.stdin.flush()

    def _wait(self, timeout: float) -> tuple[int | None, list[tuple[str, int]], bool]:
        """Return the status, the file and line of each failure from the inside out, and whether the shell is gone."""
        deadline = time.monotonic() + timeout
        failures: list[tuple[str, int]] = []
        received = b""
        while time.monotonic() < deadline:
            ready, _, _ = select.select([self.reports], [], [], POLL_SECONDS)
            news = os.read(self.reports, 4096) if ready else b""
            *lines, received = (received + news).split(b"\n")
            for word, number, *file in (line.decode().split(" ", 2) for line in lines):
                if word == "done":
                    return int(number), failures, False
                failures.append(("".join(file), int(number)))
            if not news and self.process.poll() is not None:
                return self.process.returncode, failures, True
        self.close()
        return None, failures, True

    def _place(self, file: str, number: int) -> Origin | None:
        return self.texts.get(file, {}).get(number)

    def _complained(self, file: Path, printed: str) -> Origin | None:
        """Find the line that bash itself complains about, such as an unset variable."""
        complaint = re.search(rf"^{re.escape(str(file))}: line (\d+): ", printed, re.MULTILINE)
        return self._place(str(file), int(complaint[1])) if complaint else None
