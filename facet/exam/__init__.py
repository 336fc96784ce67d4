"""Did it get better? Measured on parts the training never saw."""
