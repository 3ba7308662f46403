"""What the sample runbook does.

A file `.cannot-tell`, `.crash`, `.command-error`, `.ambiguous`, `.refuse` or `.fail-late` makes it go wrong.
"""

import os
import sys
from pathlib import Path

from django.conf import settings
from notes.models import Note
from pause import pause

step, text = os.environ["STEP"], os.environ.get("TEXT", "")
print(f"{step} with the password {settings.DATABASES['default']['PASSWORD']}", file=sys.stderr)
pause(step)
if step == "diagnose":
    broken = [note.text for note in Note.objects.exclude(text="mended")]
    if Path(".cannot-tell").exists():
        sys.exit(2)
    if Path(".crash").exists():
        raise LookupError("no such thing")
    if Path(".command-error").exists():
        sys.exit("CommandError: no such thing")
    for found in broken:
        print(f"TEXT={found}")
    if Path(".ambiguous").exists():
        print("TEXT=another")
    sys.exit(1 if broken else 0)
if step == "verify":
    sys.exit(1 if Note.objects.exclude(text="mended").exists() else 0)
if step == "fix" and Path(".refuse").exists():
    sys.exit("Refused. Nothing was changed.")
if step == "fix":
    late = Path(".fail-late").exists()
    Note.objects.filter(text__in=[text, "half mended"]).update(text="half mended" if late else "mended")
    pause("fixed")
    sys.exit(1 if late else 0)
Note.objects.update(text=text or "broken")
