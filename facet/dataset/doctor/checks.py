"""What can be seen of one example alone. The repairs use the same checks, so that they do what the finding said."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from facet.dataset.conversation import Conversation, texts_of
from facet.dataset.doctor.findings import Severity, fix
from facet.dataset.doctor.view import View


@dataclass(frozen=True)
class Check:
    """One thing to look for. `words` go on after the number of examples; `why` is None where nothing is found."""

    code: str
    title: str
    words: str
    why: Callable[[View], str | None]
    severity: Severity = "warning"
    repairs: tuple[dict[str, Any], ...] = ()


_CONTROLS = re.compile(
    r"<(?:start_of_turn|end_of_turn|bos|eos|pad|unk|turn\||channel\||tool_call\||\|(?:turn|channel|think|tool_call|im_start|"
    r"im_end|im_sep|endoftext|end_of_text|begin_of_text|eot_id|eom_id|start_header_id|end_header_id|system|user|"
    r"assistant|end|pad|startoftext|endofprompt)\|?)>|</s>|\[/?INST\]|<</?SYS>>"
)


def control_tokens(text: str) -> list[str]:
    return _CONTROLS.findall(text)


def break_controls(text: str) -> str:
    """The text with a space inside of every control token, so that it is nothing but letters."""
    return _CONTROLS.sub(lambda found: f"{found[0][0]} {found[0][1:]}", text)


def _spells_controls(seen: View) -> str | None:
    found = [token for text in texts_of(seen.example) for token in control_tokens(text)]
    return f"“{found[0]}”" if found else None


_MISSING = frozenset(
    "n/a #n/a na nan null none nil undefined missing tbd todo - -- --- ? ?? ??? ... … . [deleted] [removed] #ref! "
    "#value! #name? #div/0! #null! inf <na> no_answer (empty) (blank) [none] [null]".split()
) | {"no answer", "not available", "no data", "no input", "<no input>"}
_LOREM = "lorem ipsum dolor sit amet"


def _is_missing(text: str) -> bool:
    text = text.strip().lower()
    return not text or text in _MISSING or text.startswith(_LOREM)


def _empty(seen: View) -> str | None:
    texts = [turn["content"] for turn in seen.example["messages"] if not turn.get("tool_calls")]
    texts += [seen.answer] if seen.kind in ("preference", "text") else []
    return "A turn is empty." if any(not text.strip() for text in texts) else None


def _missing(seen: View) -> str | None:
    for what, text in (("question", seen.question), ("answer", seen.answer)):
        if text.strip() and _is_missing(text):
            return f"The {what} is only “{text.strip()[:40]}”."
    return None


def _echo(seen: View) -> str | None:
    is_same = seen.kind != "text" and len(seen.answer) > 3 and seen.question.strip() == seen.answer.strip()
    return "The answer repeats the question." if is_same else None


def _equal_pair(seen: View) -> str | None:
    rejected = seen.example.get("rejected")
    if rejected is None:
        return None
    is_same = seen.answer.strip() == "\n".join(turn["content"] for turn in rejected).strip()
    return "Both answers are the same." if is_same else None


def _disorder(seen: View) -> str | None:
    turns = seen.example["messages"]
    if seen.kind == "text" or not turns:
        return None
    roles = [turn["role"] for turn in turns]
    if "system" in roles[1:]:
        return "An instruction stands in the middle of the conversation."
    roles = roles[1:] if roles[0] == "system" else roles
    if not roles or roles[0] != "user":
        return "The conversation does not begin with a question."
    if any(first == second == "user" for first, second in pairwise(roles)):
        return "Two questions follow each other."
    if _answers_twice(turns):
        return "Two answers follow each other."
    if seen.kind in ("conversation", "unpaired_preference") and roles[-1] != "assistant":
        return "The last question has no answer."
    return None


def _answers_twice(turns: Conversation) -> bool:
    pairs = pairwise(turns)
    return any(a["role"] == b["role"] == "assistant" and not a.get("tool_calls") for a, b in pairs)


def _nothing_learned(seen: View) -> str | None:
    answers = [turn for turn in seen.example["messages"] if turn["role"] == "assistant"]
    is_idle = seen.kind == "conversation" and answers and all(turn.get("weight") == 0 for turn in answers)
    return "Every answer has the weight 0." if is_idle else None


_REFUSAL = re.compile(
    r"(?:\W*(?:i['’]?m sorry|i am sorry|sorry|i apologi[sz]e|unfortunately)\W[^.!?\n]{0,30}?)?\W*"
    r"(?:\bas an? (?:ai|artificial intelligence|large language|language) (?:language )?(?:model|assistant|system)?"
    r"|\bas an ai\b|\bi['’]?m (?:just )?an ai\b|\bi am (?:just )?an ai\b"
    r"|\bi (?:can['’]?t|cannot|can not|am unable to|am not able to|['’]m unable to|won['’]?t)"
    r" (?:assist|help|fulfil|comply|provide that|provide this|do that|engage|create|generate|answer))",
    re.IGNORECASE,
)


def _refusal(seen: View) -> str | None:
    is_one = seen.kind != "text" and _REFUSAL.match(seen.answer[:200])
    return "The answer refuses, or speaks of being an AI." if is_one else None


_ADDRESS = re.compile(r"<?(?:https?://|www\.)\S+>?")


def _address(seen: View) -> str | None:
    is_one = seen.kind != "text" and _ADDRESS.fullmatch(seen.answer.strip())
    return "The answer is only the address of a page." if is_one else None


_MOJIBAKE = re.compile(
    "(?:[\u00c2-\u00df][\u0080-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013-\u203a\u20ac\u2122]"
    "|[\u00e0-\u00ef][\u0080-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013-\u203a\u20ac\u2122]{2}"
    "|\u00f0[\u0080-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013-\u203a\u20ac\u2122]{3})+"
)


def mended(text: str) -> str:
    """The text with letters that were read in the wrong encoding put right, where that is certain."""
    return text if text.isascii() else _MOJIBAKE.sub(lambda found: _decoded(found[0]), text)


def _decoded(letters: str) -> str:
    raw = bytearray()
    for letter in letters:
        try:
            raw += letter.encode("cp1252")
        except UnicodeEncodeError:
            if ord(letter) > 0xFF:
                return letters
            raw.append(ord(letter))
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return letters


def _broken_letters(seen: View) -> str | None:
    for text in texts_of(seen.example):
        if not text.isascii() and (right := mended(text)) != text:
            at = next(at for at, (a, b) in enumerate(zip(text, right, strict=False)) if a != b)
            return f"“{text[at : at + 12]}” should be “{right[at : at + 10]}”."
        if "\ufffd" in text:
            return "A letter was lost and shows as “\ufffd”."
    return None


_TAGS = re.compile(
    r"</(?:p|div|span|li|ul|ol|td|tr|table|h[1-6]|a|strong|em|font)>|<br ?/?>|&(?:nbsp|amp|lt|gt|quot|#39|#x27);"
)


def _web_marks(seen: View) -> str | None:
    for text in texts_of(seen.example):
        if "```" not in text and (found := _TAGS.search(text)):
            return f"“{found[0]}”"
    return None


def _drop(code: str, words: str) -> dict[str, Any]:
    return fix("Leave these examples out", words, "drop", code=code)


CHECKS: tuple[Check, ...] = (
    Check("empty", "Empty turns", "have a turn without any text.", _empty, "error",
          (_drop("empty", "Leaves out every example with an empty turn."),)),
    Check("missing", "Missing values",
          "have a question or an answer which only says that something is missing, such as “N/A” or “null”. "
          "The model would learn to write exactly that.",
          _missing, "warning", (_drop("missing", "Leaves out examples whose question or answer is such a mark."),)),
    Check("order", "Turns out of order",
          "are conversations in which the turns do not follow each other as question and answer.",
          _disorder, "warning", (_drop("order", "Leaves out conversations whose turns are out of order."),)),
    Check("nothing_learned", "Nothing to learn", "have only answers that are marked as not to be learned.",
          _nothing_learned, "warning", (_drop("nothing_learned", "Leaves out examples without a learned answer."),)),
    Check("control_tokens", "Control marks in the text",
          "spell a mark that steers a model, such as “<start_of_turn>”. They are read as plain letters, and are mostly "
          "left over from another format.",
          _spells_controls, "warning",
          (fix("Break the marks up", "Puts a space into each mark, so that nothing can mistake it.", "break_controls"),
           _drop("control_tokens", "Leaves out every example that spells such a mark."))),
    Check("echo", "Answers that repeat the question", "have an answer that is the question word by word.",
          _echo, "warning", (_drop("echo", "Leaves out examples whose answer is the question."),)),
    Check("equal_pair", "Pairs without a difference",
          "have the same preferred and rejected answer, so there is nothing to prefer.",
          _equal_pair, "warning", (_drop("equal_pair", "Leaves out pairs of equal answers."),)),
    Check("address", "Answers that are only an address",
          "are answered with nothing but the address of a page. The page is not opened; the model would learn the "
          "letters of the address.",
          _address, "warning", (_drop("address", "Leaves out examples answered by an address alone."),)),
    Check("broken_letters", "Broken letters",
          "hold letters which were read in the wrong encoding, such as “Ã¼” for “ü”.",
          _broken_letters, "warning",
          (fix("Put the letters right", "Mends every letter where it is certain what it was; nothing else changes.",
               "mend_letters"),)),
    Check("web_marks", "Marks of web pages",
          "hold marks of web pages, such as “<br>” or “&nbsp;”. Keep them if your model is to write web pages.",
          _web_marks, "note", (_drop("web_marks", "Leaves out every example that holds such marks."),)),
    Check("refusal", "Answers that refuse",
          "have an answer that refuses, or speaks of being an AI. The model learns to do so too.",
          _refusal, "note", (_drop("refusal", "Leaves out examples whose answer begins with a refusal."),)),
)  # fmt: skip
BY_CODE = {check.code: check for check in CHECKS}
