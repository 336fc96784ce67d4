"""What a server that speaks as OpenAI's does has answered: a reply, or what is wrong. Pure; no network here."""

import email.utils
import re
import time
from typing import Any, Final

from facet.exam.asking import Reply, Trial

LONGEST_REPLY: Final = 2048  # tokens; models that think first count their thoughts among them
UNPAID: Final = frozenset(["insufficient_quota", "billing_hard_limit_reached", "billing_not_active"])
SECONDS: Final = re.compile(r"(\d{1,9}(?:\.\d+)?)s?")


def reply_of(status: int, headers: Any, body: Any) -> Reply:
    """What came back, as a reply. Raises: `Trial` for everything that is none."""
    if status != 200:
        raise trial_of(status, headers, body)
    if code := error_of(body).get("code"):  # some pass on another's failure as a success of theirs
        raise trial_of(code if isinstance(code, int) else 502, headers, body)
    choice = _first(body.get("choices")) if isinstance(body, dict) else None
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(message, dict):
        raise Trial("garbled", status)
    ended = str(choice.get("finish_reason") or "")
    text = _text(message.get("content"))
    usage = body.get("usage") if isinstance(body.get("usage"), dict) else {}
    return Reply(
        text,
        refused=bool(message.get("refusal")) or (ended.startswith("content_filter") and not text.strip()),
        cut=ended == "length",
        tokens_in=_count(usage.get("prompt_tokens")),
        tokens_out=_count(usage.get("completion_tokens")),
    )


def trial_of(status: int, headers: Any, body: Any) -> Trial:
    """What a status means for us. Servers' own words are not repeated: they may quote the key or the question."""
    error = error_of(body)
    if status in (401, 403):
        return Trial("key", status)
    if status == 402 or error.get("code") in UNPAID or error.get("type") in UNPAID:
        return Trial("credit", status)
    if status == 404:
        return Trial("model", status)
    if status == 429:
        return Trial("busy", status, wait_of(headers, body))
    if status in (408, 409, 425) or status >= 500:
        return Trial("broken", status, wait_of(headers, body))
    if "API key" in str(error.get("message")):  # Gemini answers 400 to a key that is none
        return Trial("key", status)
    return Trial("request", status)


def wait_of(headers: Any, body: Any) -> float | None:
    """Seconds the server asks us to wait: in its header, as a number or a date, or among its details as Google does."""
    stated = str(headers.get("retry-after") or "").strip()
    if told := SECONDS.fullmatch(stated):
        return float(told[1])
    if stated:
        try:
            return max(0.0, email.utils.parsedate_to_datetime(stated).timestamp() - time.time())
        except (TypeError, ValueError, OverflowError):
            return None
    details = error_of(body).get("details")
    for detail in details if isinstance(details, list) else ():
        delay = SECONDS.fullmatch(str(detail.get("retryDelay"))) if isinstance(detail, dict) else None
        if delay:
            return float(delay[1])
    return None


def error_of(body: Any) -> dict[str, Any]:
    """The server's account of a failure; Google puts it into a list."""
    body = _first(body) if isinstance(body, list) else body
    error = body.get("error") if isinstance(body, dict) else None
    return error if isinstance(error, dict) else {}


def _first(items: Any) -> Any:
    return items[0] if isinstance(items, list) and items else None


def _text(content: Any) -> str:
    if isinstance(content, list):
        return "".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def _count(number: Any) -> int:
    return number if isinstance(number, int) and not isinstance(number, bool) and 0 <= number < 10**9 else 0
