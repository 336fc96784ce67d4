"""Chats as tables of messages and as exports of programs become conversations, with the right one as the model."""

import json
import random

import pytest

from facet.dataset.chat_tables import APART, FOUND, role_of
from facet.dataset.look import look
from facet.errors import SettingError
from tests.kinds import csv, jsonl, parquet


def messages(speakers=lambda chat: ("customer", "agent"), chats: int = 30, each: int = 4) -> list[dict]:
    return [
        {
            "chat_id": f"c{chat}",
            "sender": speakers(chat)[turn % 2],
            "message": f"message {chat} {turn}",
            "time": f"2024-03-{chat % 28 + 1:02} 10:{turn:02}:00",
        }
        for chat in range(chats)
        for turn in range(each)
    ]


def renamed(rows: list[dict], **names: str) -> list[dict]:
    return [{names.get(name, name): value for name, value in row.items()} for row in rows]


WRITTEN = {
    "chat.csv": lambda rows: csv(rows),
    "chat.jsonl": jsonl,
    "chat.json": json.dumps,
    "chat.parquet": parquet,
    "tickets.csv": lambda rows: csv(renamed(rows, chat_id="Ticket ID", sender="Author", message="Body", time="ts")),
    "roles.csv": lambda rows: csv(renamed(rows, chat_id="conversation_id", sender="role", message="content")),
}


@pytest.mark.parametrize("time", ["nan", "inf", "soon", ""])
def test_where_a_time_is_none_the_order_of_the_file_stays(make, time):
    rows = [row | {"time": time if row["time"].endswith("01:00") else f"{9 - turn % 4}"}
            for turn, row in enumerate(messages())]  # fmt: skip
    made = make(csv(rows), "chat.csv")
    turns = next(turns for turns in made.conversations.values() if turns[0]["content"] == "message 7 0")
    assert [turn["content"] for turn in turns] == [f"message 7 {turn}" for turn in range(4)]


@pytest.mark.parametrize("name", WRITTEN)
def test_messages_become_conversations_in_the_order_of_their_time(make, name):
    rows = messages()
    random.Random(0).shuffle(rows)
    made = make(WRITTEN[name](rows), name)
    assert made.summary["rows_in"] == made.summary["used"] == 30
    turns = next(turns for turns in made.conversations.values() if turns[0]["content"] == "message 7 0")
    assert [turn["role"] for turn in turns] == ["user", "assistant", "user", "assistant"]
    assert [turn["content"] for turn in turns] == [f"message 7 {turn}" for turn in range(4)]


def test_the_look_says_how_they_were_put_together_and_who_may_be_chosen(file):
    seen = look(str(file(csv(messages()), "chat.csv")), "chat.csv")
    assert seen["warnings"] == [
        "120 messages were put together into 30 conversations by “chat_id”, in the order of “time”.",
        "The model learns to write what “agent” wrote; all others are the person it speaks with.",
    ]
    assert seen["choices"] == {"speaker": [FOUND, "agent", "customer", APART]}
    assert seen["chosen"]["speaker"] == FOUND


def test_what_was_said_of_the_columns_is_still_said(file):
    text = csv(messages()).replace("\n", ",\n")
    seen = look(str(file(text, "chat.csv")), "chat.csv")
    assert "A column without a name is now called “column 5”." in seen["warnings"]


def test_what_else_stands_beside_the_first_message_can_be_used(make):
    rows = [{**row, "shop": f"shop {row['chat_id']}"} for row in messages()]
    mapping = {"kind": "messages", "messages": "messages", "system_template": "You work for {shop}."}
    made = make(csv(rows), "chat.csv", mapping)
    assert made.conversations[3][0] == {"role": "system", "content": "You work for shop c2."}


def test_somebody_else_can_be_chosen_as_the_model(make):
    made = make(csv(messages(each=5)), "chat.csv", correction={"speaker": "customer"})
    assert made.answers()[0] == "message 0 4"
    assert "30 messages of the model before the first question were left out." in made.summary["notes"]


def test_the_rows_can_be_left_alone(file):
    seen = look(str(file(csv(messages()), "chat.csv")), "chat.csv", {"speaker": APART})
    assert seen["row_count"] == 120 and seen["chosen"]["speaker"] == APART
    assert seen["choices"]["speaker"][0] == FOUND


def test_who_answers_in_most_conversations_is_the_model_where_all_have_names(make):
    made = make(csv(messages(lambda chat: (f"Person {chat}", ("Lisa", "Tom")[chat % 2]))), "named.csv")
    assert made.answers() == [f"message {chat} 3" for chat in range(30)]
    assert "what “Lisa” and “Tom” wrote" in " ".join(made.summary["notes"])


def test_staff_that_first_speaks_far_behind_is_staff_too(make):
    rows = messages(lambda chat: (f"Person {chat}", "Lisa" if chat < 1500 else "Tom"), chats=2000)
    assert "what “Lisa” and “Tom” wrote" in " ".join(make(csv(rows), "long.csv").summary["notes"])


def test_nobody_of_that_name(make):
    with pytest.raises(SettingError, match="Nobody in this chat"):
        make(csv(messages()), "chat.csv", {"kind": "messages", "messages": "messages"}, correction={"speaker": "Eve"})


@pytest.mark.parametrize(
    ("who", "role"),
    [("Agent", "assistant"), ("support_2", "assistant"), ("Bot", "assistant"), ("outbound", "assistant"),
     ("Customer", "user"), ("visitor 12", "user"), ("inbound", "user"), ("system", "system"), ("Anna", None)],
)  # fmt: skip
def test_words_for_roles(who, role):
    assert role_of(who) == role


def test_nothing_vanishes_without_a_word(make):
    rows = messages()
    rows[5]["message"] = ""
    rows.insert(4, {"chat_id": "c1", "sender": "agent", "message": "Welcome!", "time": "2024-03-02 09:00:00"})
    rows.insert(2, {"chat_id": "c0", "sender": "system", "message": "A rep joined", "time": "2024-03-01 10:02:30"})
    made = make(csv(rows) + "c9;too;few\n", "chat.csv")
    notes = " ".join(made.summary["notes"])
    assert "1 messages without a text or without a sender" in notes
    assert "1 messages of the model before the first question" in notes
    assert "1 notices of the system in the middle" in notes
    assert made.summary["reasons"] == {"the row has fewer cells than there are columns": 1}


@pytest.mark.parametrize(
    "rows",
    [
        [{"session_id": n, "author": f"a{n % 5}", "text": f"Text {n} is ok", "label": "ab"[n % 2]} for n in range(60)],
        [{"thread": n // 5, "user": "me", "text": f"note {n}"} for n in range(60)],
    ],
)  # fmt: skip
def test_tables_in_which_nobody_answers_stay_as_they_are(file, rows):
    seen = look(str(file(csv(rows), "a.csv")), "a.csv")
    assert seen["row_count"] == 60 and "speaker" not in seen["choices"]


# ---- exports of programs
def telegram(name: str = "Anna", count: int = 200) -> dict:
    def message(n: int) -> dict:
        day, minute = divmod(n, 10)
        bold = ["see ", {"type": "bold", "text": f"this {n}"}]
        return {
            "id": n, "type": "message", "date": f"2024-01-{day % 28 + 1:02}T10:{minute:02}:00",
            "date_unixtime": str(1704103200 + day * 86400 + minute * 60), "from": (name, "Ben")[n % 2],
            "from_id": f"user{n % 2}", "text": bold if n == 3 else f"text {n}", "text_entities": [],
        }  # fmt: skip

    joined = {"id": -1, "type": "service", "date": "2024-01-01T00:00:00", "action": "joined", "text": ""}
    return {"name": name, "type": "personal_chat", "id": 5, "messages": [joined, *map(message, range(count))]}


@pytest.mark.parametrize("indent", [None, 1])
def test_a_telegram_chat_is_cut_where_nobody_spoke_and_teaches_the_other_side(make, indent):
    made = make(json.dumps(telegram(), indent=indent), "result.json")
    assert made.summary["used"] == 20
    assert [turn["role"] for turn in made.conversations[1]] == ["user", "assistant"] * 5
    assert made.conversations[1][3]["content"] == "see this 3"
    assert "what “Ben” wrote" in " ".join(made.summary["notes"])
    assert "Notices of the program" in " ".join(made.summary["notes"])


def test_all_chats_of_telegram_teach_the_one_whose_export_it_is(make):
    chats = [telegram("Anna", 20), telegram("Carl", 20)]
    document = {"personal_information": {"user_id": 1}, "chats": {"about": "", "list": chats}}
    made = make(json.dumps(document), "result.json")
    assert "what “Ben” wrote" in " ".join(made.summary["notes"]) and made.summary["used"] == 2


def chatgpt(number: int) -> dict:
    def node(name: str, parent: str | None, role: str | None = None, text: str = "", **more) -> tuple[str, dict]:
        content = {"content_type": "text", "parts": [text]}
        message = {"author": {"role": role}, "content": content, "metadata": {}, "recipient": "all"} | more
        return name, {"id": name, "message": message if role else None, "parent": parent, "children": []}

    tree = dict([
        node("root", None),
        node("hidden", "root", "system", ""),
        node("asked", "hidden", "user", f"hi {number}"),
        node("first", "asked", "assistant", "an answer that was made again"),
        node("called", "asked", "assistant", "search(…)", recipient="browser"),
        node("result", "called", "tool", "a page"),
        node("second", "result", "assistant", f"hello {number}"),
    ])  # fmt: skip
    return {"title": f"t{number}", "create_time": 1.5, "mapping": tree, "current_node": "second"}


@pytest.mark.parametrize("indent", [None, 1])
def test_chatgpt_trees_become_the_branch_that_was_read_last(make, indent):
    made = make(json.dumps([chatgpt(n) for n in range(25)], indent=indent), "conversations.json")
    assert made.summary["used"] == 25
    assert made.conversations[4] == [
        {"role": "user", "content": "hi 3"},
        {"role": "assistant", "content": "hello 3"},
    ]


def test_a_tree_that_bites_its_tail_ends(make):
    broken = chatgpt(1)
    broken["mapping"]["asked"]["parent"] = "second"
    made = make(json.dumps([chatgpt(n) for n in range(20)] + [broken]), "conversations.json")
    assert made.summary["rows_in"] == 21


def test_claude_conversations_name_their_senders(make):
    rows = [
        {"chat_messages": [{"sender": "human", "text": f"hi {n}"}, {"sender": "assistant", "text": "ho"}]}
        for n in range(25)
    ]  # fmt: skip
    assert make(json.dumps(rows), "conversations.json").summary["used"] == 25
