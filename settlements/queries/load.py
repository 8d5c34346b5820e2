"""How the database server fares, as PostgreSQL tells it."""

from django.db import connection

# Workers call themselves by this name, so that they are told from those whom they may disturb.
WORKER = "rollover"
LOAD = """
SELECT
    count(*) FILTER (WHERE wait_event_type = 'Lock' AND pg_blocking_pids(pid) && ARRAY(
        SELECT pid FROM pg_stat_activity WHERE application_name = %(worker)s AND datname = current_database()
    )),
    count(*) FILTER (WHERE state = 'active')
FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND application_name <> %(worker)s
"""


def disturbed_and_busy() -> tuple[int, int]:
    """Sessions that wait for a lock of a batch's worker, and sessions of others that are at work."""
    with connection.cursor() as cursor:
        cursor.execute(LOAD, {"worker": WORKER})
        waiting, busy = cursor.fetchone()
    return waiting, busy
