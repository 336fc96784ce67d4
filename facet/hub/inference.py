"""Asking a hosted model in a person's name, through the Hub's Inference Providers."""

from typing import Any, Final

from huggingface_hub import InferenceClient
from huggingface_hub import errors as theirs
from huggingface_hub.utils import httpx

import facet.hub.client  # noqa: F401 - the one HTTP client of this process, with its limits
from facet.hub.errors import checked, status_of

SECONDS: Final = 120.0  # until the first sign of an answer, and between two


class Hosted:
    """One model behind the Hub's router. The token lives in this object, which its caller lets go when done."""

    def __init__(self, token: str, model: str, *, base_url: str, seconds: float = SECONDS) -> None:
        self.model = model
        self._client = InferenceClient(base_url=base_url, token=checked(token), timeout=seconds)

    def __repr__(self) -> str:
        return f"Hosted({self.model!r})"

    def close(self) -> None:
        self._client.close()

    def complete(self, messages: list[dict[str, str]], longest_reply: int) -> tuple[int, Any, Any]:
        """Status, headers and body of the answer. Status 0: the connection failed or broke; no words of it are kept.

        Its body is None where it made no sense.
        """
        try:
            answer = self._client.chat_completion(messages, model=self.model, max_tokens=longest_reply, temperature=0)
            return 200, {}, dict(answer)
        except (theirs.HfHubHTTPError, httpx.HTTPError, OSError) as error:
            response = getattr(error, "response", None)
            if response is None:
                return 0, {}, None
            return status_of(error) or 0, dict(response.headers), _body(response)
        except (
            ValueError,
            TypeError,
            KeyError,
            AttributeError,
            RecursionError,
        ):  # what its reader says to something that is no answer
            return 200, {}, None


def _body(response: Any) -> Any:
    try:
        return response.json()
    except (ValueError, RuntimeError, httpx.HTTPError, httpx.StreamError):
        return None
