"""Scripts that write some of the example datasets. What they write is committed, and a test makes it anew."""
