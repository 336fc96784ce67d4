import math

from facet.ui.charts import MOST_POINTS, learning_curve, smooth, thin
from facet.ui.pace import Pace
from facet.work.log import Progress


def test_no_numbers_no_chart():
    assert learning_curve({}, 100, "a") is None
    assert learning_curve({"loss": []}, 100, "a") is None


def test_the_chart_names_its_lines_and_keeps_the_zoom_of_one_run():
    figure = learning_curve({"loss": [(1, 3.0), (2, 2.0)], "validation_loss": [(2, 2.5)]}, 10, "run-1")
    assert figure.layout.uirevision == "run-1"
    assert [note.text.split()[-2] for note in figure.layout.annotations] == ["training", "validation"]
    assert figure.layout.showlegend is None or not figure.layout.showlegend
    assert figure.layout.template.layout.paper_bgcolor == "rgba(0,0,0,0)"


def test_a_long_run_is_thinned_and_smoothed_without_moving_it():
    points = [(step, math.cos(step / 500) + (step % 2) * 0.2) for step in range(1, 20_001)]
    fewer = thin(points)
    assert len(fewer) == MOST_POINTS and fewer[0] == points[0] and fewer[-1] == points[-1]
    smoothed = smooth(points)
    assert len(smoothed) == len(points)
    assert all(abs(s[1] - math.cos(s[0] / 500) - 0.1) < 0.12 for s in smoothed[500:-500:100])
    assert len(learning_curve({"loss": points}, 20_000, "r").to_json()) < 200_000


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
