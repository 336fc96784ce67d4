"""A batch as a task: models answer every row of a file or of a part, and nobody marks them."""

from collections.abc import Mapping

from facet.dataset.conversation import DatasetType
from facet.dataset.render import Renderer
from facet.errors import DataError
from facet.exam.answers import BATCH, Said, answers_file
from facet.exam.contest import by_base
from facet.exam.outcome import Contestant, Question
from facet.exam.plan import contestants_of
from facet.exam.questions import messages_for, prompts_of, read_questions, write_questions
from facet.exam.sitting import Cut, Sitting
from facet.model.decoding import Decoding
from facet.work import log
from facet.work.worker import Slice
from facet.workspace import read_json, write_json


def prepare(piece: Slice) -> None:
    """What needs no device, done ahead of the first slice: the questions."""
    _questions(piece)


def advance(piece: Slice) -> None:
    """One slice of a batch. Every answer is kept as it comes."""
    request = piece.task.request
    questions, contestants = _questions(piece), contestants_of(request)
    sitting = Sitting(piece, len(questions) * len(contestants))
    try:
        sitting.choose_engine(contestants)
        for group in by_base(contestants):
            for contestant in group:
                _answer(sitting, contestant, questions, Decoding(**request["decoding"]))
    except Cut:
        sitting.paused()
        return
    finally:
        sitting.close()
    piece.emit(log.Finished(step=sitting.done, outputs={"rows": len(questions)}))


def _answer(sitting: Sitting, contestant: Contestant, questions: list[Question], decoding: Decoding) -> None:
    """Questions that the model cannot read get an empty answer, which says that it was cut."""
    said = Said(answers_file(sitting.folder, BATCH, contestant.key), [question.row for question in questions], {})
    prompts: dict[int, list[int]] = {}
    if said.open_rows:
        asked = {question.row: question for question in questions}
        mine = [asked[row] for row in said.open_rows]
        tokens = _prompts(sitting.company(contestant).renderer, contestant, mine)
        prompts = dict(zip(said.open_rows, tokens, strict=True))
    sitting.ask(contestant, said, prompts, decoding)


def _prompts(renderer: Renderer, contestant: Contestant, questions: list[Question]) -> list[list[int]]:
    conversations = [messages_for(contestant, question) for question in questions]
    return renderer.prompts(conversations, [question.tools or None for question in questions])


def _questions(piece: Slice) -> list[Question]:
    """Raises: `DataError` when there is nothing to ask."""
    folder, request = piece.task.folder, piece.task.request
    if not (folder / "plan.json").exists():
        piece.emit(log.Staged(words="Reading the questions"))
        kind: DatasetType = read_json(folder / "data" / "dataset.json").get("type", "conversation")
        found = prompts_of(folder / "data" / f"{request['part']}.parquet", request["part"], kind)
        if not found.questions:
            raise _nothing(found.left_out)
        write_questions(folder / "questions.jsonl", found.questions)
        write_json(folder / "plan.json", {"left_out": dict(found.left_out)})
        for why, count in found.left_out.items():
            piece.emit(log.Noted(words=f"{count:,} rows {why}; they are left out."))
    return list(read_questions(folder))


def _nothing(left_out: Mapping[str, int]) -> DataError:
    why = " and ".join(f"{count:,} rows {why}" for why, count in left_out.items())
    return DataError(
        "There is nothing to answer.",
        f"{why[:1].upper()}{why[1:]}." if why else "This part is empty.",
        "Choose another part or another file.",
    )
