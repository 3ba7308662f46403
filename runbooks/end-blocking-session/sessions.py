"""Names the sessions whose open transaction blocks others, and ends one of them. STEP says what to do."""

import os
import re
import sys
from collections import namedtuple

from django.db import DatabaseError, connections

FOUND, OK, UNKNOWN = 1, 0, 2
IDLE_SECONDS = 1
"""A request leaves its transaction open between two statements for a moment: that is no session left behind."""

Session = namedtuple("Session", "id user application host transaction idle statement locks waiting")
POSTGRESQL = """
    SELECT a.pid || '@' || (extract(epoch FROM a.backend_start) * 1000)::bigint, a.usename, a.application_name,
        COALESCE(host(a.client_addr), 'this machine'), extract(epoch FROM clock_timestamp() - a.xact_start),
        CASE WHEN a.state LIKE 'idle in transaction%%' THEN extract(epoch FROM clock_timestamp() - a.state_change) END, a.query,
        (SELECT string_agg(DISTINCT relation::regclass || ' ' || mode, ', ') FROM pg_locks
            JOIN pg_class ON pg_class.oid = relation AND relkind IN ('r', 'p', 'm')
            WHERE pid = a.pid AND granted AND locktype = 'relation' AND database = (SELECT oid FROM pg_database WHERE datname = a.datname)
            AND relnamespace NOT IN ('pg_catalog'::regnamespace)),
        (SELECT string_agg(pid::text, ', ') FROM pg_stat_activity WHERE a.pid = ANY (pg_blocking_pids(pid)))
    FROM pg_stat_activity AS a
    WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() AND a.backend_type = 'client backend' AND a.xact_start IS NOT NULL
    ORDER BY a.xact_start
"""
MARIADB = """
    SELECT CAST(p.ID AS char), p.USER, '', p.HOST, TIMESTAMPDIFF(SECOND, t.trx_started, NOW()),
        CASE WHEN p.COMMAND = 'Sleep' THEN p.TIME_MS / 1000 END, COALESCE(p.INFO, ''), '',
        (SELECT GROUP_CONCAT(w.ID SEPARATOR ', ') FROM information_schema.PROCESSLIST w
            WHERE w.DB = DATABASE() AND w.ID <> p.ID AND w.STATE = 'Waiting for table metadata lock' AND p.STATE <> w.STATE)
    FROM information_schema.INNODB_TRX t JOIN information_schema.PROCESSLIST p ON p.ID = t.trx_mysql_thread_id
    WHERE p.DB = DATABASE() AND p.ID <> CONNECTION_ID()
    ORDER BY t.trx_started
"""
FORM = {"postgresql": re.compile(r"[1-9]\d*@\d+"), "mysql": re.compile(r"[1-9]\d*")}
END = {"postgresql": "SELECT pg_terminate_backend(%s, 5000)", "mysql": "KILL CONNECTION %s"}


def open_transactions():
    with connection.cursor() as cursor:
        cursor.execute({"postgresql": POSTGRESQL, "mysql": MARIADB}[connection.vendor])
        return [Session(*row) for row in cursor.fetchall()]


def blocks(session):
    """Whether it waits for nothing but its own program, or others wait for it."""
    return bool(session.waiting) or (session.idle is not None and session.idle >= IDLE_SECONDS and session.locks is not None)


def without_values(statement):
    """A statement without the texts and numbers in it, which may be secrets; it may end in the middle of one."""
    quotes = "'\"" if connection.vendor == "mysql" else "'"
    for quote in quotes:
        statement = re.sub(rf"{quote}(?:[^{quote}\\]|\\.|{quote}{quote})*(?:{quote}|$)", "?", statement, flags=re.DOTALL)
    statement = re.sub(r"\$(\w*)\$.*?(\$\1\$|$)", "?", statement, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"\b\d[\w.]*", "?", statement))[:200]


def show(session):
    doing = "running a statement" if session.idle is None else f"idle for {session.idle:.0f} s"
    application = f", application {session.application!r}" if session.application else ""
    print(f"Session {session.id}: user {session.user}{application}, from {session.host}")
    print(f"  in a transaction for {session.transaction:.0f} s, {doing}")
    if session.locks:
        print(f"  locks: {session.locks}")
    if session.statement:
        print(f"  its last statement: {without_values(session.statement)}")
    if session.waiting:
        print(f"  wait for it, or may: {session.waiting}")


def diagnose():
    chosen = os.environ.get("SESSION", "")
    found = [each for each in open_transactions() if blocks(each) and chosen in ("", each.id)]
    if not found:
        print("No session that left its transaction open, and none that others wait for.")
        return OK
    for session in found:
        show(session)
    for session in found:
        print(f"SESSION={session.id}")
    return FOUND


def refuse(why):
    print(f"Refused, nothing was changed: {why}", file=sys.stderr)
    return 1


def chosen_session():
    """(the id, the session of that id if it is there)"""
    wanted = os.environ.get("SESSION", "")
    return wanted, next((each for each in open_transactions() if each.id == wanted), None)


def fix():
    wanted, session = chosen_session()
    if not FORM[connection.vendor].fullmatch(wanted):
        return refuse(f"SESSION is {wanted!r}. Take the value that diagnose prints.")
    if not session:
        print(f"Nothing to do: session {wanted} has no open transaction, or is gone.")
        return OK
    if not blocks(session):
        return refuse(f"session {wanted} is at work and nobody waits for it.")
    with connection.cursor() as cursor:
        cursor.execute(END[connection.vendor], [int(wanted.split("@")[0])])
    print(f"Ended session {wanted}. What it had not committed is gone.")
    return OK


def verify():
    wanted, session = chosen_session()
    if session:
        print(f"Session {wanted} is still there.")
        return 1
    os.environ.pop("SESSION", None)
    return diagnose()


try:
    connection = connections[os.environ.get("RUNBOOK_DATABASE", "default")]
    status = {"diagnose": diagnose, "fix": fix, "verify": verify}[os.environ["STEP"]]()
except DatabaseError as error:
    print(f"The database says: {error}\nNo session was ended.", file=sys.stderr)
    status = UNKNOWN
sys.exit(status)
