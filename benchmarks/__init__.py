"""What the figures in docs/benchmarks.md come from. `make bench` runs all; `python -m benchmarks.decide` one. `--json` for machines."""
