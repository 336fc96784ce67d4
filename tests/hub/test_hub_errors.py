import inspect

import pytest
from huggingface_hub import errors as theirs
from huggingface_hub.utils import httpx

from facet.errors import FacetError
from facet.hub.errors import by_status, ours, translate

# Errors of the client that reading models and datasets cannot raise, and why.
NOT_MET = {
    "LocalTokenNotFoundError": "no token is looked for",
    "OIDCError": "met in account.py, where signing in is",
    "DeviceCodeError": "met in account.py, where signing in is",
    "BucketNotFoundError": "met as a plain refusal",
    "InferenceEndpointError": "no inference",
    "InferenceEndpointTimeoutError": "no inference",
    "InferenceTimeoutError": "no inference",
    "TextGenerationError": "no inference",
    "ValidationError": "no inference",
    "GenerationError": "no inference",
    "OverloadedError": "no inference",
    "IncompleteGenerationError": "no inference",
    "UnknownError": "no inference",
    "SafetensorsParsingError": "we read headers ourselves",
    "NotASafetensorsRepoError": "we read headers ourselves",
    "DryRunError": "no dry runs",
    "BucketBatchError": "no buckets",
    "DDUFError": "no DDUF files",
    "DDUFCorruptedFileError": "no DDUF files",
    "DDUFExportError": "no DDUF files",
    "DDUFInvalidEntryNameError": "no DDUF files",
    "StrictDataclassError": "theirs to fix",
    "StrictDataclassDefinitionError": "theirs to fix",
    "StrictDataclassFieldValidationError": "theirs to fix",
    "StrictDataclassClassValidationError": "theirs to fix",
    "FileDuplicationError": "met in writing.py, if at all",
    "CLIError": "no command line of theirs",
    "ConfirmationError": "no command line of theirs",
    "CLIExtensionInstallError": "no command line of theirs",
    "SandboxError": "no sandboxes",
    "SandboxCommandError": "no sandboxes",
}
KINDS = [kind for _, kind in inspect.getmembers(theirs, inspect.isclass) if issubclass(kind, Exception)]


@pytest.mark.parametrize(
    "kind", [kind for kind in KINDS if kind.__name__ not in NOT_MET], ids=lambda kind: kind.__name__
)
def test_every_error_of_the_client_that_we_can_meet_has_three_sentences(kind):
    for thing in ("model", "dataset"):
        assert_three_sentences(translate(example_of(kind), thing, "ann/poems"))


@pytest.mark.parametrize(
    "kind", [httpx.ConnectError, httpx.ReadTimeout, httpx.RemoteProtocolError, ConnectionResetError]
)
def test_every_trouble_of_the_network_has_three_sentences(kind):
    error = translate(kind("no"), "model", "ann/poems")
    assert_three_sentences(error)
    assert "could not be reached" in error.what


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 413, 416, 429, 500, 502, 503, 504, 599])
def test_every_status_has_three_sentences(status):
    assert_three_sentences(by_status(status, "dataset", "ann/poems"))


def test_a_fault_of_ours_is_not_taken_for_one_of_the_hub():
    with pytest.raises(KeyError), ours("model", "ann/poems"):
        raise KeyError("a bug")


def test_a_full_disk_is_called_a_full_disk():
    import errno

    assert "disk" in translate(OSError(errno.ENOSPC, "full"), "model", "ann/poems").what


def example_of(kind):
    if issubclass(kind, theirs.HfHubHTTPError):
        request = httpx.Request("GET", "https://huggingface.co/api/models/ann/poems")
        return kind("refused", response=httpx.Response(404, request=request))
    error = kind.__new__(kind)
    error.args = ("broken",)
    return error


def assert_three_sentences(error):
    assert isinstance(error, FacetError)
    for sentence in (error.what, error.why, error.next):
        assert sentence[0].isupper() or sentence.startswith("ann/")
        assert sentence.rstrip().endswith((".", "ann/poems."))
        assert len(sentence.split()) < 30
