"""What the tests of training share."""

import gc

import pytest

from tests.train.weights_lab import Lab


@pytest.fixture(scope="session")
def lab_of_weights(tmp_path_factory):
    """See `Lab`. What is imported before the freeze is not looked through at every collection of garbage."""
    import trl  # noqa: F401

    gc.freeze()
    yield Lab(tmp_path_factory.mktemp("kinds"))
    gc.unfreeze()
