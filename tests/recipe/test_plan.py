from dataclasses import replace

import pytest

from facet.errors import CapacityError
from facet.gemma.inspect import facts_of
from facet.model.choose import Chooser, ModelCheck
from facet.recipe.forecast import Machine, Measured, Pace, answering, forecast, memory_gb, rented
from facet.recipe.ladder import SMALLER, next_step
from facet.recipe.plan import Plan, plan
from facet.recipe.plan_words import against, duration, money, run_that_fits
from facet.recipe.recipes import PretrainRecipe, SftRecipe
from facet.recipe.workload import Lengths, padded, workload

GEMMA_270M = SMALLER["google/gemma-3-270m-it"][1]
GEMMA_1B = SMALLER["google/gemma-3-1b-it"][1]
LENGTHS = Lengths(400, tuple(range(20, 420)), tuple(length // 2 for length in range(20, 420)), validation=40)
HERE = Machine("local", "this computer", "cpu", 16.0, 50.0, "bfloat16")
RECIPE = SftRecipe(max_length=512, per_device_train_batch_size=8, gradient_accumulation_steps=1)


def planned(recipe: SftRecipe = RECIPE, free_gb: float = 16.0, facts=GEMMA_270M, **machine) -> Plan:
    return plan(facts, recipe, LENGTHS, (replace(HERE, free_gb=free_gb, **machine), *rented()))


def test_steps_are_those_that_the_trainer_takes():
    assert planned().load.steps == RECIPE.steps(400) == 150
    assert planned(RECIPE.model_copy(update={"max_steps": 7})).load.steps == 7


def test_what_is_cut_to_nothing_is_not_counted_as_learned():
    short = LENGTHS.read_with(RECIPE.model_copy(update={"max_length": 64}))
    assert short.longest == 64 and short.rows < 400 and min(short.learned) > 0
    assert LENGTHS.cut_rows(512) == 0 and LENGTHS.cut_rows(219) == 200
    whole = LENGTHS.read_with(RECIPE.model_copy(update={"max_length": 64, "train_on": "everything"}))
    assert whole.rows == 400
    assert LENGTHS.read_with(RECIPE.model_copy(update={"max_length": 64, "too_long": "leave_out"})).rows == 45
    assert LENGTHS.read_with(RECIPE.model_copy(update={"max_examples": 10})).rows == 10


def test_texts_are_joined_or_divided_into_pieces_of_the_longest_length():
    texts = Lengths(10, (1000,), (1000,))
    joined = texts.read_with(PretrainRecipe(max_length=256))
    assert joined.rows == 40 and joined.longest == 256, "the last block is what is left"
    assert sum(joined.tokens) == 10_000
    assert texts.read_with(PretrainRecipe(max_length=256, max_examples=7)).rows == 7
    divided = texts.read_with(PretrainRecipe(max_length=256, packing=False))
    assert divided.rows == 40 and divided.longest == 256


def test_whole_texts_that_are_too_short_are_not_planned_with():
    texts = Lengths(40, (10, 20, 30, 1000), (10, 20, 30, 1000))
    for packing in (True, False):
        read = texts.read_with(PretrainRecipe(max_length=256, min_length=300, packing=packing))
        assert read.rows == 40 and read.longest == 256, "ten texts of 1,000 tokens, whose last pieces stay"
        assert texts.read_with(PretrainRecipe(max_length=256, min_length=2000, packing=packing)).rows == 0


def test_like_lengths_side_by_side_are_filled_up_less_than_a_shuffle():
    by_length = padded(LENGTHS, RECIPE)[0]
    by_chance = padded(LENGTHS, RECIPE.model_copy(update={"train_sampling_strategy": "random"}))[0]
    mean = sum(LENGTHS.tokens) / 400
    assert mean <= by_length < 1.2 * mean < by_chance


@pytest.mark.parametrize(
    "more",
    [
        {"lora_rank": 64},
        {"tuning": "full"},
        {"base_precision": "float32"},
        {"loss_kernel": "stock"},
        {"use_dora": True},
        {"lora_dropout": 0.1},
    ],
)
def test_what_asks_for_more_memory_is_known_to(more):
    assert planned(RECIPE.model_copy(update=more)).here.gb > planned().here.gb


@pytest.mark.parametrize(
    "less",
    [
        {"per_device_train_batch_size": 2},  # eight of 419 tokens go through a processor four at a time, as four do
        {"max_length": 128},
        {"gradient_checkpointing": "on"},
        {"base_precision": "4bit"},
        {"lora_targets": "attention"},
        {"tuning": "full", "optim": "adafactor"},
    ],
)
def test_what_saves_memory_is_known_to(less):
    whole = {"tuning": "full"} if "tuning" in less else {"lora_dropout": 0.1} if "base_precision" in less else {}
    assert planned(RECIPE.model_copy(update=less)).here.gb < planned(RECIPE.model_copy(update=whole)).here.gb


def test_a_run_that_fits_needs_no_ladder_and_one_that_does_not_has_the_harmless_first():
    assert planned().here.fits and planned().ladder == ()
    tight = planned(free_gb=2.9)
    assert not tight.here.fits
    named = [next(iter(rung.changes), "model") for rung in tight.ladder]
    assert named[:3] == ["per_device_train_batch_size", "gradient_checkpointing", "max_length"]
    first = tight.ladder[0]
    assert first.fits and first.gb < tight.here.gb
    halved = RECIPE.model_copy(update=first.changes)
    assert halved.effective_batch_size == RECIPE.effective_batch_size
    assert next_step(tight.ladder).startswith("Set “Examples at once” to ")


def test_every_change_of_the_ladder_does_what_it_says():
    tight = planned(free_gb=2.9)
    for rung in tight.ladder:
        if not rung.model:
            there = planned(RECIPE.model_copy(update=rung.changes), free_gb=2.9).here
            assert (there.gb, there.minutes, there.fits) == (rung.gb, rung.minutes, rung.fits)
    shorter = next(rung for rung in tight.ladder if "max_length" in rung.changes)
    assert shorter.cut_rows == LENGTHS.cut_rows(shorter.changes["max_length"]) > 0


@pytest.mark.parametrize("packing", [True, False])
def test_of_joined_texts_shorter_pieces_are_offered_though_each_text_is_short(packing):
    size = 50 if packing else 4000  # divided, a short text is no longer than itself
    lengths = Lengths(4000, (size,), (size,))
    recipe = PretrainRecipe(max_length=2048, packing=packing, per_device_train_batch_size=1)
    need = plan(GEMMA_270M, recipe, lengths, (HERE,)).here.gb

    made = plan(GEMMA_270M, recipe, lengths, (replace(HERE, free_gb=0.8 * need),))

    shorter = next(rung for rung in made.ladder if "max_length" in rung.changes)
    assert made.longest == 2048 and shorter.changes["max_length"] < 2048 and shorter.gb < need
    assert shorter.words == f"Pieces of {shorter.changes['max_length']:,} tokens" and shorter.cut_rows == 0


def test_where_long_examples_are_left_out_none_is_said_to_be_cut():
    tight = planned(RECIPE.model_copy(update={"too_long": "leave_out"}), free_gb=2.9)
    shorter = next(rung for rung in tight.ladder if "max_length" in rung.changes)
    assert shorter.words.startswith("Only examples of at most") and shorter.cut_rows > 0 and shorter.are_left_out


def test_of_texts_pieces_are_counted_and_not_examples():
    lengths = Lengths(40, (4000,), (4000,))
    made = plan(GEMMA_270M, PretrainRecipe(max_length=512), lengths, (HERE,))
    assert made.reads == "pieces of text" and "pieces of text of up to" in run_that_fits(made)
    assert planned().reads == "examples" and "examples of up to" in run_that_fits(planned())


def test_where_nothing_else_helps_a_smaller_model_does_or_nothing_is_promised():
    ladder = planned(free_gb=4.5, facts=GEMMA_1B).ladder
    assert ladder[-1].model == "google/gemma-3-270m-it" and ladder[-1].fits
    hopeless = planned(free_gb=0.5)
    assert not any(rung.fits for rung in hopeless.ladder) and next_step(hopeless.ladder) == ""
    assert hopeless.largest.max_length is None and run_that_fits(hopeless) == ""


def test_what_goes_on_learning_keeps_its_model_and_its_kind_of_adapter():
    lengths = Lengths(400, (200,), (100,))
    big = SftRecipe(max_length=512, per_device_train_batch_size=8, gradient_accumulation_steps=1, lora_rank=256)
    machines = (replace(HERE, free_gb=1.2), *rented())
    anew, further = (plan(GEMMA_270M, big, lengths, machines, further=further) for further in (False, True))
    assert any("lora_rank" in rung.changes for rung in anew.ladder)
    assert further.ladder and not any({"lora_rank", "tuning"} & rung.changes.keys() for rung in further.ladder)
    there = plan(GEMMA_1B, RECIPE, LENGTHS, (replace(HERE, free_gb=4.5),), further=True)
    assert not any(rung.model for rung in there.ladder) and there.largest.model is None


def test_the_largest_run_that_fits_fits_and_the_next_one_does_not():
    card = {"free_gb": 12.0, "device": "cuda"}
    most = planned(**card).largest
    assert 8 <= most.batch < 256
    assert planned(RECIPE.model_copy(update={"per_device_train_batch_size": most.batch}), **card).here.fits
    more = RECIPE.model_copy(update={"per_device_train_batch_size": 2 * most.batch})
    assert not planned(more, **card).here.fits
    assert f"{most.max_length:,} tokens, or {most.batch} at once" in run_that_fits(planned(**card))


def test_on_a_processor_memory_sets_no_limit_to_examples_at_once_for_they_go_in_portions():
    most = planned(free_gb=6.0)
    assert most.largest.batch is None and "at once" not in run_that_fits(most)


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_longer_or_more_examples_never_need_less_memory(device):
    def gb(batch: int, longest: int) -> float:
        recipe = SftRecipe(max_length=longest, per_device_train_batch_size=batch, gradient_checkpointing="off")
        lengths = Lengths(64, (longest // 2, longest), (longest // 4, longest // 4))
        return memory_gb(GEMMA_270M, recipe, lengths, replace(HERE, device=device))

    sizes = [64, 200, 256, 300, 512, 682, 683, 1024, 1100, 2048, 3000]
    for batch in (1, 2, 5, 8, 64):
        needed = [gb(batch, longest) for longest in sizes]
        assert needed == sorted(needed)
    for longest in sizes:
        needed = [gb(batch, longest) for batch in (1, 2, 3, 5, 8, 64)]
        assert needed == sorted(needed)
    if device == "cpu":
        assert gb(64, 1500) == pytest.approx(gb(4, 512), rel=0.02), "2,048 tokens at once, of whichever examples"


def test_what_was_measured_here_replaces_the_rule_of_thumb():
    clock = Pace(per_gflop=0.01, per_pass=0.5, per_update=0.1, load=20.0)
    known = Measured("measured", clock, Pace(0.02, 1.0, 0.2, 10.0), memory_ratio=2.0)
    there = forecast(GEMMA_270M, RECIPE, LENGTHS, replace(HERE, measured=known))
    load = workload(GEMMA_270M, RECIPE, LENGTHS, checkpointing=False)
    assert there.how == "measured" and there.seconds_per_step == pytest.approx(load.work / 150 * 0.01 + 0.5 + 0.1)
    assert there.gb == pytest.approx(2 * planned().here.gb)
    assert there.processor_seconds > there.minutes * 60
    assert planned().here.how == "rough" and set(planned().as_forecast) >= {"gb", "minutes", "seconds_per_step", "how"}


@pytest.mark.parametrize(
    ("token", "times"),
    [(0.0, 2 + 7), (0.01, 2 + 7), (0.05, 2 + 2), (0.2, 2)],
    ids=["for nothing", "quick: as often as there are looks", "slow: as often as time allows", "very slow: the ends"],
)
def test_answers_on_the_way_are_as_many_as_their_time_allows(token, times):
    load = planned(RECIPE.model_copy(update={"max_steps": 40, "evaluations": 0})).load
    recipe = RECIPE.model_copy(update={"max_steps": 40, "evaluations": 0})
    assert answering(recipe, load, learning=20.0, token=token) == pytest.approx(times * 48 * token)
    assert answering(recipe.model_copy(update={"sample_max_tokens": 0}), load, 20.0, token) == 0.0


def test_minutes_of_a_lent_card_are_counted_with_what_every_call_costs():
    lent = Machine("zerogpu", "a lent card", "cuda", 48.0, 80_000.0, "bfloat16", 300.0, 1.5, 60.0)
    there = forecast(GEMMA_270M, RECIPE.model_copy(update={"num_train_epochs": 50.0}), LENGTHS, lent)
    assert there.slices > 1 and there.quota_left == 5.0
    assert there.quota_minutes == pytest.approx(1.5 * (there.minutes + there.slices * 15 / 60))
    assert there.days >= 2
    spent = forecast(GEMMA_270M, RECIPE, LENGTHS, replace(lent, quota_seconds=0.0))
    assert spent.quota_left == 0.0 and spent.days == 2  # none of today's, and less than tomorrow's
    nearly = forecast(GEMMA_270M, RECIPE, LENGTHS, replace(lent, quota_seconds=60.0))
    assert nearly.days == 1 + -(-max(0.0, nearly.quota_minutes - 1.0) // 5.0)


def test_rented_machines_have_a_price_and_are_not_here():
    others = planned().places[1:]
    assert all(place.usd > 0 and not place.is_here for place in others) and planned().here.usd == 0


def test_refusing_names_the_numbers_and_the_first_thing_to_change(tmp_path):
    check = ModelCheck(None, "Gemma 3 1B", GEMMA_1B, "", None, 0.0, 1.0, 1.0)
    whole = SftRecipe(max_length=512, per_device_train_batch_size=1, tuning="full", base_precision="float32")
    with pytest.raises(CapacityError) as refused:
        Chooser.require_room(None, check, planned(whole, free_gb=8.0, facts=GEMMA_1B))
    assert "8.0 GB are free" in refused.value.why and "“What learns”" in refused.value.next
    Chooser.require_room(None, check, planned(free_gb=2.9))  # fewer at once is enough, and the worker does that itself


@pytest.mark.parametrize(
    "lengths", [Lengths(0, (), ()), Lengths(1, (1,), (1,)), Lengths(3, (5000,) * 3, (10,) * 3)], ids=str
)
def test_data_that_leaves_nothing_to_learn_is_planned_without_a_fault(lengths):
    made = plan(GEMMA_270M, RECIPE, lengths, (HERE,))
    assert made.here.minutes > 0 and made.here.gb > 0 and made.load.steps >= 1


def test_what_came_is_told_beside_what_was_predicted():
    forecast = {"minutes": 4.0, "gb": 1.23, "how": "rough"}
    told = against(forecast, {"minutes": 5.2, "memory_gb": 1.08})
    assert told == "Predicted 4 minutes, took 5 minutes; predicted 1.2 GB of memory, needed 1.1 GB."
    assert against(None, {"minutes": 5.0}) == "" and against({"minutes": "x"}, {"minutes": 5.0}) == ""
    assert against(forecast, {"minutes": 0.4}) == "Predicted 4 minutes, took 25 seconds."


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(0.01, "5 seconds"), (0.7, "40 seconds"), (1.1, "1 minute"), (4.4, "4.5 minutes"), (45, "45 minutes"),
     (150, "2.5 hours"), (4000, "3 days")],
)  # fmt: skip
def test_durations_have_no_more_digits_than_a_forecast_has(minutes, words):
    assert duration(minutes) == words


def test_money_is_told_in_cents():
    assert money(0.004) == "less than 1 cent" and money(1.234) == "about $1.23"


def test_the_known_models_are_as_large_as_they_are_offered():
    assert facts_of({"model_type": "gemma3_text", "hidden_size": 640, "intermediate_size": 2048,
                     "num_hidden_layers": 18, "num_attention_heads": 4, "num_key_value_heads": 1, "head_dim": 256,
                     "vocab_size": 262_144, "max_position_embeddings": 32_768}, 268_098_176) == GEMMA_270M  # fmt: skip
