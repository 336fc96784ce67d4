"""Where work runs: one protocol, one file for each place."""
