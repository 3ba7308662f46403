from __future__ import annotations

from proof import pytest_generate_tests  # noqa: F401  a hook: pytest finds it here
