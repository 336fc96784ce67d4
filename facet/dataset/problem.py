"""Why one row cannot be used, as a code for counting and words for a person."""


class RowProblem(Exception):
    """One row is left out. The words never quote the row, so that rows of one kind are counted together."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(code, words)
        self.code, self.words = code, words
