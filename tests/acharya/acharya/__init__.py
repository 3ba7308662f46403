"""The project package of the Acharya School Management System."""

from __future__ import annotations

import os

if os.environ.get("DATABASE_URL", "").startswith(("mysql", "mariadb")):
    try:
        import pymysql
    except ImportError:
        pass  # mysqlclient may be there, and Django says so when it is not.
    else:
        pymysql.install_as_MySQLdb()
