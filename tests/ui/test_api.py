"""The documented functions, called by a program through gradio_client."""

from pathlib import Path

import pytest

from facet.model.speak import Piece

pytestmark = pytest.mark.page


@pytest.fixture(scope="module")
def client(served):
    from gradio_client import Client

    return Client(served.url, verbose=False)


@pytest.fixture(scope="module")
def dataset_id(client) -> str:
    return client.predict(source="example:pirate", name="from a program", api_name="/prepare")["dataset_id"]


def test_the_public_functions_are_described(client):
    named = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert set(named) == {"/prepare", "/plan", "/start_run", "/stop_run", "/resume_run", "/chat", "/export"}


def test_prepare_takes_an_example(served, client, dataset_id):
    from facet.identity import LOCAL

    card = served.studio.dataset(LOCAL, dataset_id)
    assert card.name == "from a program" and card.summary["used"] == 100


def test_prepare_takes_a_file(client, tmp_path: Path):
    from gradio_client import handle_file

    file = tmp_path / "mine.csv"
    file.write_text("question,answer\n" + "".join(f"what is {n}?,it is {n}\n" for n in range(30)))
    made = client.predict(file=handle_file(str(file)), test_size=0.2, api_name="/prepare")
    assert made["summary"]["used"] == 30 and made["summary"]["splits"]["exam"] == 6


def test_a_path_on_the_server_is_not_a_file(client):
    with pytest.raises(Exception, match=r"."):
        client.predict(file={"path": "/etc/hostname", "meta": {"_type": "gradio.FileData"}}, api_name="/prepare")


def test_start_run_takes_settings_and_refuses_wrong_ones_in_three_sentences(served, client, dataset_id):
    from facet.identity import LOCAL

    made = client.predict(
        dataset_id=dataset_id, settings={"max_steps": 7, "learning_rate": "2e-4"}, api_name="/start_run"
    )
    recipe = served.studio.run(LOCAL, made["run_id"]).recipe
    assert recipe.max_steps == 7 and recipe.learning_rate == 2e-4
    with pytest.raises(Exception) as refused:
        client.predict(dataset_id=dataset_id, settings={"lora_rank": 0}, api_name="/start_run")
    assert "“Adapter size” must be a whole number from 1 to 256" in str(refused.value)
    assert "<strong>" not in str(refused.value)
    with pytest.raises(Exception, match="no setting called warp"):
        client.predict(dataset_id=dataset_id, settings={"warp": 9}, api_name="/start_run")


def test_plan_says_what_a_run_would_need_and_starts_none(served, client, dataset_id):
    from facet.identity import LOCAL

    before = len(served.studio.runs(LOCAL))
    told = client.predict(dataset_id=dataset_id, settings={"max_steps": 7}, api_name="/plan")
    assert told["steps"] == 7 and told["places"][0]["fits"] and told["forecast"]["gb"] > told["needs"]["libraries"]
    assert len(served.studio.runs(LOCAL)) == before
    with pytest.raises(Exception, match="could not find this run"):
        client.predict(dataset_id=dataset_id, start_from="2020-01-01-nothing-abcd", api_name="/plan")


def test_what_is_missing_and_what_is_foreign_are_the_same_words(client):
    for function, argument in (("/stop_run", "run_id"), ("/resume_run", "run_id"), ("/export", "run_id")):
        for name in ("2020-01-01-nothing-abcd", "../../etc/passwd", "", "x" * 119):
            with pytest.raises(Exception, match="could not find this run"):
                client.predict(**{argument: name}, api_name=function)


def test_chat_gives_both_replies(served, client, monkeypatch):
    def chat(person, target, messages, decoding, grant):
        assert (target, decoding.max_new_tokens, decoding.temperature) == ("starter", 16, 0.5)
        for side in messages:
            yield "Loading the model"
            yield Piece(side, f"{side} so")
            yield Piece(side, f"{side} so far", done=True)

    monkeypatch.setattr(served.studio, "chat", chat)
    said = client.predict(
        model="starter", prompt="Hi", compare=True, temperature=0.5, max_new_tokens=16, api_name="/chat"
    )
    assert said == {"reply": "tuned so far", "base_reply": "base so far"}
