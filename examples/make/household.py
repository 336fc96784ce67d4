"""Writes `household.jsonl` out of `household.txt`: talks with a small assistant that has four tools.

The text file holds one talk per paragraph: the day it takes place (@), what the person says (U), the calls of the
assistant (C), what the tools return (R) and its answer (A). The rows are in OpenAI's form for fine-tuning.
"""

import json
from datetime import date
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
DAY = {"type": "string", "description": "The day, as YYYY-MM-DD"}
TOOLS = [
    ("get_weather", "Weather of a town on one day", {"city": {"type": "string"}, "day": DAY}),
    ("set_timer", "Start a timer", {"minutes": {"type": "number"}, "label": {"type": "string"}}),
    (
        "add_event",
        "Put something into the calendar",
        {"title": {"type": "string"}, "day": DAY, "time": {"type": "string", "description": "HH:MM, 24 hours"}},
    ),
    ("list_events", "What is in the calendar on one day", {"day": DAY}),
]


def rows() -> list[dict[str, Any]]:
    """All talks, as rows with `messages` and `tools`."""
    talks = (HERE / "household.txt").read_text("utf-8").strip().split("\n\n")
    return [{"messages": messages(talk.splitlines()), "tools": tools()} for talk in talks]


def tools() -> list[dict[str, Any]]:
    return [
        {
            "type": "function",
            "function": {
                "name": name,
                "description": words,
                "parameters": {"type": "object", "properties": properties, "required": list(properties)},
            },
        }
        for name, words, properties in TOOLS
    ]


def messages(lines: list[str]) -> list[dict[str, Any]]:
    today = date.fromisoformat(lines[0].removeprefix("@"))
    instruction = f"You help in the household. Today is {today:%A}, {today.day} {today:%B %Y}."
    said: list[dict[str, Any]] = [{"role": "system", "content": instruction}]
    calls, answered = 0, 0
    for line in lines[1:]:
        kind, text = line.split(": ", 1)
        if kind == "C":
            calls += 1
            call(said, f"call_{calls}", text)
        elif kind == "R":
            answered += 1
            said.append({"role": "tool", "tool_call_id": f"call_{answered}", "content": text})
        else:
            said.append({"role": "user" if kind == "U" else "assistant", "content": text})
    return said


def call(said: list[dict[str, Any]], identity: str, text: str) -> None:
    """Calls in a row are one turn of the assistant."""
    if "tool_calls" not in said[-1]:
        said.append({"role": "assistant", "content": None, "tool_calls": []})
    name, arguments = text.split(" ", 1)
    function = {"name": name, "arguments": json.dumps(json.loads(arguments), ensure_ascii=False)}
    said[-1]["tool_calls"].append({"id": identity, "type": "function", "function": function})


def text() -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows())


if __name__ == "__main__":
    (HERE.parent / "household.jsonl").write_text(text(), "utf-8", newline="\n")
