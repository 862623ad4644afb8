"""The learning-rate finder changes nothing and finds the steepest descent."""

import numpy as np
import pytest

import recurrentnn as rnn
import runs
from recurrentnn import reference as ref
from recurrentnn.training.finder import smoothed, suggested


@pytest.mark.parametrize("name", ["RMSProp", "Adam", "SGD"])
def test_model_optimizer_and_run_stay_as_they_are(name: str) -> None:
    trainer = runs.trainer(optimizer=getattr(rnn, name)(1e-2))
    trainer.fit(runs.text_batches(), steps=5)
    before = runs.digest(trainer)
    found = trainer.find_learning_rate(runs.text_batches(), low=1e-5, high=100.0)
    assert runs.digest(trainer) == before
    assert trainer.optimizer.learning_rate == 1e-2
    assert not any(m.grad.any() for m in trainer.model.parameters().values())
    assert found.rates[0] < found.suggestion < found.rates[-1]
    assert "<svg" in found._repr_html_()
    untouched = runs.trainer(optimizer=getattr(rnn, name)(1e-2))
    untouched.fit(runs.text_batches(), steps=9)
    trainer.fit(runs.text_batches(), steps=9)
    for key, matrix in trainer.model.parameters().items():
        np.testing.assert_array_equal(matrix.value, untouched.model[key].value)


def test_it_ends_when_the_loss_diverges() -> None:
    trainer = runs.trainer(optimizer=rnn.SGD())
    found = trainer.find_learning_rate(runs.text_batches(), low=1e-3, high=1e9)
    assert len(found.rates) < 100
    assert (found.smooth[:-1] <= 4 * found.smooth.min()).all()
    assert found.suggestion <= found.rates[found.smooth.argmin()]


def test_the_suggestion_is_the_references() -> None:
    rates = np.geomspace(1e-5, 1.0, 40).tolist()
    rng = np.random.default_rng(2)
    for _ in range(20):
        losses = (3 - 2 / (1 + np.exp(-rng.normal(size=40).cumsum()))).tolist()
        assert suggested(rates, smoothed(losses)) == ref.suggested_rate(rates, losses)


@pytest.mark.parametrize(
    ("options", "words"),
    [({"low": 1.0, "high": 0.1}, "high must be above low"), ({"steps": 2}, "steps")],
)
def test_a_mistake_is_named(options: dict[str, float], words: str) -> None:
    with pytest.raises(rnn.ArgumentError, match=words):
        runs.trainer().find_learning_rate(
            runs.text_batches(),
            **options,  # type: ignore[arg-type]
        )
