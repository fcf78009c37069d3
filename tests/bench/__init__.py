"""Figures: `python3 tests/bench/run.py --help`."""
