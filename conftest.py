"""Makes `pytest` and `pytest docs` collect the pages."""

pytest_plugins = ["migration_runbooks.worlds.pytest_plugin", "migration_runbooks.pages.pytest_plugin", "pytester"]
