"""What everything means: pure functions and frozen data, no I/O, no clock, no thread, no log, no randomness."""
