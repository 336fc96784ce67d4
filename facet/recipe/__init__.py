"""All settings of a run: each declared once, read by the form, the checks, the CLI, the docs and the run file."""
