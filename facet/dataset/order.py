"""The order of turns: an instruction first, then questions and answers by turns, with tools where they were called."""

from facet.dataset.conversation import Conversation, Message
from facet.dataset.problem import RowProblem

JOINED = "two turns of one speaker in a row were joined"
UNANSWERED = "a last question without an answer was left out"
SPOKEN = "a result of a tool that was called in plain words was taken as a turn of the person"
UNREAD = "a last result of a tool that no answer follows was left out"


def in_order(turns: Conversation, repairs: set[str]) -> Conversation:
    """A conversation to learn from: it ends in an answer. Raises: `RowProblem`."""
    joined = _joined(turns, repairs)
    _check(joined)
    if not any(turn["role"] == "assistant" for turn in joined):
        raise RowProblem("no answer", "the conversation has no answer of the model")
    while joined[-1]["role"] != "assistant":
        repairs.add(UNREAD if joined[-1]["role"] == "tool" else UNANSWERED)
        joined = joined[:-1]
    return joined


def as_question(turns: Conversation, repairs: set[str]) -> tuple[Conversation, Conversation]:
    """What is asked, which ends in a turn of the person or a tool, and the answer that stood behind it, if any."""
    joined = _joined(turns, repairs)
    _check(joined)
    end = len(joined)
    while end and joined[end - 1]["role"] in ("assistant", "system"):
        end -= 1
    if not end:
        raise RowProblem("empty question", "the question is empty")
    return joined[:end], joined[end:]


def as_answer(turns: Conversation, repairs: set[str]) -> Conversation:
    """One answer to a question: turns that begin with the model."""
    joined = _joined(turns, repairs)
    if joined[0]["role"] != "assistant":
        raise RowProblem("no answer", "an answer is not spoken by the model")
    while joined[-1]["role"] != "assistant":
        joined = joined[:-1]
    return joined


def common_beginning(first: Conversation, second: Conversation) -> tuple[Conversation, Conversation, Conversation]:
    """Two whole conversations as what they share, and how each goes on with an answer of the model."""
    same = 0
    while same < min(len(first), len(second)) and first[same] == second[same]:
        same += 1
    if same == len(first) == len(second):
        raise RowProblem("same answers", "the better and the worse answer are the same")
    while same and first[same - 1]["role"] == "assistant":
        same -= 1  # one goes on where the other one ends
    rest = first[same:], second[same:]
    if not same or not all(turns and turns[0]["role"] == "assistant" for turns in rest):
        raise RowProblem("no common question", "the two conversations do not begin with the same question")
    return first[:same], *rest


def _joined(turns: Conversation, repairs: set[str]) -> Conversation:
    joined: Conversation = []
    called = False  # whether the last call was written as one
    for turn in turns:
        last = joined[-1] if joined else None
        called = "tool_calls" in turn if turn["role"] == "assistant" else called
        if (
            turn["role"] == "tool"
            and not called
            and turn["content"]
            and any(each["role"] == "assistant" for each in joined)
        ):
            turn = Message(role="user", content=turn["content"])
            repairs.add(SPOKEN)
        if last is None or last["role"] != turn["role"] or turn["role"] == "tool" or "tool_calls" in last:
            joined.append(turn)
            continue
        both: Message = {**last, **turn, "content": f"{last['content']}\n\n{turn['content']}".strip()}
        joined[-1] = both  # an answer that is not to be learned stays so
        repairs.add(JOINED)
    return joined


def _check(turns: Conversation) -> None:
    start = 1 if turns and turns[0]["role"] == "system" else 0
    before = None
    for turn in turns[start:]:
        role = turn["role"]
        if role == "system":
            raise RowProblem("late instruction", "an instruction stands in the middle of the conversation")
        if role == "assistant" and before is None:
            raise RowProblem("answer first", "the model speaks first")
        if role == "tool" and (before is None or (before["role"] != "tool" and "tool_calls" not in before)):
            raise RowProblem("uncalled tool", "a tool answers that the model did not call")
        before = turn
