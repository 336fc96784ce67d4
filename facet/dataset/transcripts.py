"""Whole conversations in one text, in the ways people have written them down: who speaks, a sign, and what is said."""

import re

_WHO = "Human|User|Assistant|System"
# Each finds the start of a turn and, in its one group, who speaks; the turn goes on to the next start.
_STYLES = tuple(
    re.compile(style, re.IGNORECASE)
    for style in (
        rf"(?:^|\n\n) ?({_WHO}): ?",
        rf"### ?({_WHO}|Instruction|Input|Response): *\n?",
        r"### ?(Question|Context|Answer): *\n?",
        r"<\|im_start\|>(system|user|assistant|tool)\n",
        r"(?:<bos>)?<start_of_turn>(system|developer|user|model)\n",
        r"(?:<\|begin_of_text\|>)?<\|start_header_id\|>(system|user|assistant)<\|end_header_id\|>\n*",
        r"<\|(system|user|assistant)\|>\n?",
    )
)
_HEADINGS = _STYLES[1]
_INST = re.compile(r"(?:<s>|</s>|\s)*\[INST\](.*?)\[/INST\]((?:(?!\[INST\]).)*)", re.DOTALL)
_SYS = re.compile(r"\s*<<SYS>>(.*?)<</SYS>>", re.DOTALL)
_ENDS = ("<|im_end|>", "<end_of_turn>", "<|endoftext|>", "<|eot_id|>", "<|end_of_text|>", "<|end|>", "</s>", "<eos>")
_SPEAKERS = {
    "human": "user",
    "instruction": "user",
    "input": "user",
    "context": "user",
    "question": "user",
    "model": "assistant",
    "response": "assistant",
    "answer": "assistant",
    "developer": "system",
}
_HINTS = ("uman:", "ser:", "### ", "<|im_start|>", "<start_of_turn>", "UMAN:", "SER:", "[INST]", "<|start_header_id",
          "<|user|>", "<|system|>")  # fmt: skip
_ADDITIONS = ("input", "context")  # belong to what was asked before; in an answer they are words of its own
_MOST_OPENING = 2_000  # characters before the first heading

Turns = list[tuple[str, str]]


def transcript(text: str) -> Turns | None:
    """Who says what, in order; None unless a person begins, perhaps after an instruction, and the model is named."""
    if not any(hint in text for hint in _HINTS):
        return None
    text = text.strip()
    if "[INST]" in text and (found := _with_marks(text)):
        return found
    for style in _STYLES:
        opening = _opening(style, text)
        if opening is None:
            continue
        parts = style.split(text[len(opening) :])
        names = [name.lower() for name in parts[1::2]]
        turns = _together([(name, _without_end(said)) for name, said in zip(names, parts[2::2], strict=True)])
        said_by = [who for who, _ in turns]
        if said_by[said_by[0] == "system" :][:1] == ["user"] and "assistant" in said_by:
            return [("system", opening.strip()), *turns] if opening.strip() else turns
    return None


def _opening(style: re.Pattern[str], text: str) -> str | None:
    """What stands before the first turn: nothing, or the words above the headings of an instruction."""
    if style.match(text):
        return ""
    first = style.search(text, 0, _MOST_OPENING) if style is _HEADINGS else None
    return text[: first.start()] if first and first[1].lower() == "instruction" else None


def _together(turns: Turns) -> Turns:
    """Turns under their usual names, with what was added to a question as a part of it."""
    made: Turns = []
    for name, said in turns:
        who = _SPEAKERS.get(name, name)
        if made and name in _ADDITIONS and made[-1][0] == "user":
            made[-1] = ("user", f"{made[-1][1]}\n\n{said}".strip())
        elif made and name in _ADDITIONS:
            made[-1] = (made[-1][0], f"{made[-1][1]}\n\n### {name.capitalize()}:\n{said}")
        else:
            made.append((who, said))
    return made


def _with_marks(text: str) -> Turns | None:
    """Turns as `[INST] question [/INST] answer</s>`, with an instruction in `<<SYS>>` marks."""
    turns: Turns = []
    at = 0
    for found in _INST.finditer(text):
        if found.start() != at:
            return None
        asked, at = found[1], found.end()
        if not turns and (system := _SYS.match(asked)):
            turns.append(("system", system[1].strip()))
            asked = asked[system.end() :]
        turns.append(("user", asked.strip()))
        if answer := _without_end(found[2].replace("<s>", "")):
            turns.append(("assistant", answer))
    return turns if at == len(text) and any(who == "assistant" for who, _ in turns) else None


def _without_end(said: str) -> str:
    said = said.strip()
    end = next((end for end in _ENDS if said.endswith(end)), "")
    return said.removesuffix(end).strip()
