"""Every way that was tried without training, with what is said to the model and what it scored."""

from markupsafe import Markup

from facet.exam import scores
from facet.exam.metric_words import METRICS, written
from facet.exam.outcome import PARTS, Contestant, Outcome
from facet.ui.markup import clip, each, html, table

PART_HEADS = {"validation": "Validation", "exam": "Exam"}


def describe_ways(outcome: Outcome) -> Markup:
    """Every way with its score on each part, the best on validation first."""
    metric = scores.main(outcome.type)
    parts = [part for part in PARTS if part in outcome.parts]
    rows = [
        (_way(outcome.contestants[key], key == outcome.chosen), *(_score(outcome, part, key, metric) for part in parts))
        for key in sorted(outcome.contestants, key=lambda key: -_worth(outcome, key, metric))
    ]
    heads = ("Way to ask", *(PART_HEADS[part] for part in parts))
    looks = {column: "right" for column in range(1, len(heads))}
    known = METRICS[metric]
    meaning = html('<p class="f-small">{}: {} <small>{}</small></p>', known.label, known.plain, known.expert)
    return table("What each way without training scored", heads, rows, looks) + meaning


def _worth(outcome: Outcome, key: str, metric: str) -> float:
    """For sorting; what did not answer validation stands last."""
    for part in PARTS:
        if key in outcome.parts.get(part, {}):
            value = outcome.parts[part][key].metrics.get(metric, float("-inf"))
            return value if METRICS[metric].higher_is_better else -value
    return float("-inf")


def _score(outcome: Outcome, part: str, key: str, metric: str) -> str:
    scored = outcome.parts[part].get(key)
    if scored is None or metric not in scored.metrics:
        return "–"
    return written(metric, scored.metrics[metric])


def _way(contestant: Contestant, is_chosen: bool) -> Markup:
    mark = html(' <span class="f-chip good">chosen</span>') if is_chosen else ""
    shown = [(clip(shot[0]["content"], 300), clip(shot[-1]["content"], 300)) for shot in contestant.shots]
    if not (contestant.system or shown):
        return html("{}{}", contestant.name, mark)
    examples = each('<p class="f-small">{}<br>→ {}</p>', shown)
    system = html("<pre>{}</pre>", contestant.system) if contestant.system else ""
    return html("{}{}<details><summary>What is said</summary>{}{}</details>", contestant.name, mark, system, examples)
