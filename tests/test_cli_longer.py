"""Runs of the command that are made longer: their end is no part of what they are."""

import tomllib
from pathlib import Path

import pytest

import recurrentnn as rnn
from recurrentnn.cli import main
from test_cli_runs import expect_same, folder, last, resume, train

__all__ = ["folder"]  # a fixture


def settings(run: str) -> dict[str, object]:
    return tomllib.loads(Path(run, "run.toml").read_text())


def steps(run: str) -> int:
    return rnn.CharModel.load(last(run)).steps


def test_a_longer_run_is_the_longer_run() -> None:
    assert train("-o", "whole", "--steps", "9") == 0
    assert train("-o", "parts", "--steps", "6") == 0
    assert resume("parts", "--steps", "9") == 0
    expect_same("whole", "parts")
    assert settings("parts")["steps"] == 9
    # From now on that is its end.
    assert resume("parts") == 0
    assert steps("parts") == 9


def test_an_interrupted_run_is_made_longer() -> None:
    assert train("-o", "whole", "--steps", "9") == 0
    assert train("-o", "parts", "--steps", "7", "--save-every", "4") == 0
    # As a kill -9 after step 4 would have left it.
    last("parts").unlink()
    assert resume("parts", "--steps", "9") == 0
    expect_same("whole", "parts")


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (["--epochs", "1"], ["--epochs", "2"]),
        (["--steps", "2"], ["--epochs", "2"]),
        (["--steps", "2", "--epochs", "1"], ["--epochs", "2"]),
        (["--minutes", "0.0001"], ["--epochs", "2"]),
    ],
)
def test_a_given_limit_stands_for_all_that_were(
    first: list[str], then: list[str]
) -> None:
    assert train("-o", "whole", *then, "--seq-length", "16") == 0
    assert train("-o", "parts", *first, "--seq-length", "16") == 0
    assert steps("parts") < steps("whole")
    assert resume("parts", *then) == 0
    expect_same("whole", "parts")
    assert {"steps", "epochs", "minutes"} & settings("parts").keys() == {"epochs"}


def test_minutes_are_of_the_whole_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert train("-o", "a", "--steps", "2") == 0
    spent = rnn.CharModel.load(last("a")).history[-1].seconds / 60
    capsys.readouterr()
    assert main(["train", "-o", "a", "--resume", "--minutes", f"{spent / 2}"]) == 0
    assert "nothing left to learn; a higher limit" in capsys.readouterr().err
    assert steps("a") == 2
    assert resume("a", "--minutes", f"{spent + 0.002}") == 0
    assert steps("a") > 2


def test_a_schedule_that_ends_with_the_steps_asks_for_override(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Else the new steps would have the last rate, often 0, or others than before."""
    assert train("-o", "a", "--steps", "4", "--schedule", "cosine") == 0
    before = settings("a")
    assert resume("a", "--steps", "8") == 2
    told = capsys.readouterr().err
    assert "the end of the schedule cosine, --steps, was 4, is 8: --override" in told
    assert settings("a") == before
    assert resume("a", "--epochs", "8") == 2
    assert resume("a", "--steps", "8", "--override") == 0
    rates = rnn.CharModel.load(last("a")).history.column("learning_rate")
    assert rates[-1] == pytest.approx(5e-3 * 0.0380602)
    own = ["--schedule", "cosine", "--set", "schedule.steps=4"]
    assert train("-o", "b", "--steps", "4", *own) == 0
    assert resume("b", "--steps", "5") == 0
    assert steps("b") == 5
