import math

import pytest

from facet.ui.charts import CURVES, MOST_POINTS, curves_figure, smooth, thin
from facet.ui.pace import Pace
from facet.work.log import Progress

LOSS = {"loss": [(1, 3.0), (2, 2.0)], "validation_loss": [(0, 3.5), (2, 2.5)], "epoch": [(1, 0.5), (2, 1.0)]}


def names(figure):
    return [note.text.split("</span> ")[-1].rsplit(" ", 1)[0] for note in figure.layout.annotations]


def test_no_numbers_no_chart():
    assert curves_figure({"a": {}}) is None
    assert curves_figure({"a": {"loss": []}}, "memory") is None


def test_the_chart_names_its_lines_and_keeps_the_zoom_of_one_run_and_curve():
    figure = curves_figure({"a run": LOSS}, key="run-1", total=10)
    assert figure.layout.uirevision == curves_figure({"a run": LOSS}, key="run-1", total=20).layout.uirevision
    assert figure.layout.uirevision != curves_figure({"a run": LOSS}, "perplexity", key="run-1").layout.uirevision
    assert names(figure) == ["training", "validation"]
    assert figure.layout.showlegend is None or not figure.layout.showlegend
    assert figure.layout.template.layout.paper_bgcolor == "rgba(0,0,0,0)"
    assert figure.layout.xaxis.range[1] >= 10


def test_perplexity_is_what_the_loss_says_and_accuracy_is_in_per_cent():
    perplexity = curves_figure({"a": LOSS}, "perplexity")
    assert perplexity.data[0].y == pytest.approx((math.exp(3), math.exp(2)))
    accuracy = curves_figure(
        {"a": {"token_accuracy": [(1, 0.25)], "accuracy": [(1, 0.5)], "macro_f1": [(1, 0.4)]}}, "accuracy"
    )
    assert [line.y for line in accuracy.data] == [(25.0,), (50.0,), (40.0,)]


def test_over_epochs_the_same_points_stand_where_the_data_had_been_read_so_often():
    figure = curves_figure({"a": LOSS}, axis="epoch", total=10, best=2)
    assert figure.data[0].x == (0.5, 1.0) and figure.data[1].x == (0.0, 1.0)
    assert figure.layout.xaxis.range[1] == pytest.approx(5.1) and figure.layout.shapes[0].x0 == 1.0


def test_the_best_step_is_marked_in_words_too():
    figure = curves_figure({"a": LOSS}, best=2)
    assert figure.layout.shapes[0].x0 == 2 and figure.layout.annotations[-1].text == "best"


def test_several_runs_are_told_apart_by_name_and_colour_and_no_name_is_markup():
    figure = curves_figure({"first": LOSS, "<b>second": LOSS}, best=2)
    assert names(figure)[::2] == ["first, training", "&lt;b&gt;second, training"]
    assert len({line.line.color for line in figure.data}) == 2
    assert not figure.layout.shapes, "whose best it is could not be told"


def test_numbers_that_are_none_are_left_out_of_the_drawing():
    figure = curves_figure({"a": {"loss": [(1, 2.0), (2, math.nan)]}})
    assert figure.data[0].x == (1,)


@pytest.mark.parametrize("which", CURVES)
def test_a_long_run_is_thinned_and_smoothed_without_moving_it(which):
    points = [(step, 2 + math.cos(step / 500) + (step % 2) * 0.2) for step in range(1, 20_001)]
    fewer = thin(points)
    assert len(fewer) == MOST_POINTS and fewer[0] == points[0] and fewer[-1] == points[-1]
    smoothed = smooth(points)
    assert len(smoothed) == len(points)
    assert all(abs(s[1] - 2 - math.cos(s[0] / 500) - 0.1) < 0.12 for s in smoothed[500:-500:100])
    name = CURVES[which].lines[0][0]
    assert len(curves_figure({"a": {name: points}}, which).to_json()) < 200_000


def test_the_time_left_is_measured_between_two_looks():
    pace = Pace()
    at_work = Progress(stage="running", total_steps=100)
    assert pace.left("r", _at(at_work, 10, 50.0)) is None
    assert pace.left("r", _at(at_work, 20, 55.0)) == 40.0
    assert pace.left("r", _at(at_work, 5, 60.0)) is None  # it went back to a save point
    assert pace.left("r", Progress(stage="paused")) is None


def test_a_pressed_button_is_waited_for():
    pace = Pace()
    assert not pace.is_awaited("r")
    pace.await_change("r")
    assert pace.is_awaited("r") and not pace.is_awaited("other")


def _at(progress: Progress, step: int, moment: float) -> Progress:
    from dataclasses import replace

    return replace(progress, step=step, last_at=moment)
