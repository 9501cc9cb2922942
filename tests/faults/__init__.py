"""The fault harness as a program, and its own tests; its parts are in tests/support/faults."""
