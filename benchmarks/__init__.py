"""Measurements of the promises about speed: ratios taken in one run, on the same server, turn by turn.

`python -m benchmarks [NAME…]` (make bench ARGS="rollover settling"). BENCH_QUICK=1 is a smoke run of seconds.
"""
