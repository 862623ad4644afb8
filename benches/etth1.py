"""ETTh1, all 7 series, 24 hours ahead: the forecast beside the naive ones.

`python benches/etth1.py FILE [--seed N]` trains on the first 12 months of ETTh1.csv,
validates on the next 4 and prints the errors on the 4 behind them, of series
standardised by the training part, as they are published for this split.
"""

from __future__ import annotations

import argparse
import time

import recurrentnn as rnn

TRAIN, VALIDATION, TEST = 8640, 11520, 14400


def main() -> None:
    """Train, evaluate, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    values = rnn.data.read_csv(arguments.file).values[:TEST]
    begin = time.perf_counter()
    model = rnn.Forecaster.train(
        values[:VALIDATION],
        horizon=24,
        season=24,
        validation_fraction=1 - TRAIN / VALIDATION,
        seed=arguments.seed,
    )
    seconds = time.perf_counter() - begin
    for record in model.history:
        if record.validation_loss is not None:
            print(f"epoch {record.epoch:g}: validation {record.validation_loss:.4f}")
    result = model.evaluate(values, start=VALIDATION)
    print(f"{model}, {seconds:.0f} s, {result.windows} forecasts")
    for name in ("forecast", "persistence", "seasonal"):
        errors = getattr(result, name)
        print(
            f"{name}: MSE {errors.mse:.4f}, MAE {errors.mae:.4f}, "
            f"MASE {errors.mase:.4f}"
        )


if __name__ == "__main__":
    main()
