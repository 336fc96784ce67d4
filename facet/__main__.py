"""`python -m facet …`: every button of the page as a command."""

import sys

from facet.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
