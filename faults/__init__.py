"""Faults made on purpose: servers killed, answers lost, disks full, clocks wrong; and what must hold all the same.

`make faults` runs every scenario on a PostgreSQL and a Redis of its own. Each writes an independent log of what the
clients were told, and a checker holds it against the books at the end (checker.py). defects.py proves that it can fail.
"""
