"""The same steps from a terminal. Exit status: 0 done, 1 refused (three sentences on stderr), 2 wrong usage."""
