from __future__ import annotations

import pytest

pytest.register_assert_rewrite("proof", "beside")

from proof import pytest_generate_tests  # noqa: E402, F401  a hook: pytest finds it here
