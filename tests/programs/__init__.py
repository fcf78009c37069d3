"""Unmodified programs of the distribution, run natively and under libevy, and the load that drives them.

`test_*.py` hold the tests, one file per program; the rest are their tools. `tests/run.py` finds and
runs them; the demo borrows the load driver.
"""
