"""Checkpoints: a resumed run is one never interrupted; what is damaged is skipped."""

import hashlib
import json
import shutil
import struct
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import recurrentnn as rnn
import runs
from optimizer_cases import OPTIMIZER_CLASSES
from recurrentnn import schedules
from recurrentnn.training import Folder
from support import ROOT

FIXTURES = ROOT / "tests" / "fixtures"


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.rglob("*") if p.is_file())


class Stop(Exception):
    """Ends a run between two updates, as Ctrl-C does."""


def run_to(trainer: Any, step: int, **fit: Any) -> None:
    """Learn up to a step and be interrupted there."""
    original = trainer.save_if_due

    def stop_or_save(*, improved: bool) -> None:
        original(improved=improved)
        if trainer.run.step == step:
            raise Stop

    trainer.save_if_due = stop_or_save
    with pytest.raises(Stop):
        trainer.fit(runs.text_batches(), runs.held_out(), steps=10**6, **fit)


def whole_and_resumed(folder: Path, steps: int, stop: int, make: Any) -> list[Any]:
    whole, first = make(None), make(folder)
    run_to(whole, steps)
    run_to(first, stop)
    second = make(folder)
    assert second.resume()
    assert runs.same_bits(first, second)
    run_to(second, steps)
    return [whole, second]


@pytest.mark.parametrize("cell", runs.CELLS)
def test_a_resumed_run_has_the_bits_of_one_never_interrupted(
    cell: str, tmp_path: Path
) -> None:
    def make(folder: Path | None) -> Any:
        return runs.trainer(folder, cell=cell)

    whole, resumed = whole_and_resumed(tmp_path, 23, 10, make)
    assert runs.same_bits(whole, resumed)


@pytest.mark.parametrize("name", sorted(set(OPTIMIZER_CLASSES.values()) - {"Solver"}))
def test_so_it_has_with_every_optimizer(name: str, tmp_path: Path) -> None:
    def make(folder: Path | None) -> Any:
        return runs.trainer(folder, optimizer=getattr(rnn, name)(1e-3))

    whole, resumed = whole_and_resumed(tmp_path, 11, 5, make)
    assert runs.same_bits(whole, resumed)


@pytest.mark.parametrize("stop", range(1, 14))
def test_so_it_has_wherever_it_was_interrupted(stop: int, tmp_path: Path) -> None:
    """Schedule, best weights, sums since a record and batches accumulated included."""

    def make(folder: Path | None) -> Any:
        schedule = schedules.Plateau(factor=0.5, patience=0)
        return runs.trainer(folder, schedule=schedule, accumulate=2, patience=50)

    whole, resumed = whole_and_resumed(tmp_path, 14, stop, make)
    assert runs.same_bits(whole, resumed)


def test_a_run_whose_report_was_interrupted_makes_it_up(tmp_path: Path) -> None:
    """Ctrl-C within a validation: the weights are new, the validation is still due."""
    whole, cut = runs.trainer(), runs.trainer(tmp_path)
    run_to(whole, 9)
    measure = cut.evaluate

    def evaluate(batches: Any) -> Any:
        if cut.run.step == 4:
            raise KeyboardInterrupt
        return measure(batches)

    cut.evaluate = evaluate  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        cut.fit(runs.text_batches(), runs.held_out(), steps=10**6)
    assert not cut.run.reported
    resumed = runs.trainer(tmp_path)
    assert resumed.resume()
    run_to(resumed, 9)
    assert runs.same_bits(whole, resumed)


def test_the_folder_keeps_the_newest_and_the_best(tmp_path: Path) -> None:
    trainer = runs.trainer(tmp_path, save_every=1, keep=2, validate_every=None)
    trainer.fit(runs.text_batches(), runs.held_out(), steps=3)
    trainer.run.best.step, trainer.run.best.loss = 3, -1.0
    trainer.save()
    trainer.fit(runs.text_batches(), runs.held_out(), steps=9)
    assert names(tmp_path / "ckpt") == [
        f"step-{step:08}.safetensors" for step in (3, 8, 9)
    ]
    assert (tmp_path / "last").read_text() == "step-00000009.safetensors"
    assert (tmp_path / "best").read_text() == "step-00000003.safetensors"


def test_what_a_killed_run_left_half_written_is_swept(tmp_path: Path) -> None:
    trainer = runs.trainer(tmp_path)
    trainer.fit(runs.text_batches(), steps=1)
    kept = names(tmp_path)
    for stray in ("ckpt/.step-00000002.safetensors.17-0.tmp", ".last.17-3.tmp"):
        (tmp_path / stray).write_bytes(b"half")
    (tmp_path / "ckpt" / "notes.tmp").write_text("mine")
    assert runs.trainer(tmp_path).resume()
    assert names(tmp_path) == sorted([*kept, "notes.tmp"])


def test_a_damaged_checkpoint_is_skipped_with_a_warning(tmp_path: Path) -> None:
    trainer = runs.trainer(tmp_path, save_every=1)
    trainer.fit(runs.text_batches(), steps=3)
    newest = tmp_path / "ckpt" / "step-00000003.safetensors"
    data = bytearray(newest.read_bytes())
    data[-1] ^= 1
    newest.write_bytes(data)
    resumed = runs.trainer(tmp_path)
    with pytest.warns(RuntimeWarning, match="step-00000003.*checksum"):
        assert resumed.resume()
    assert resumed.run.step == 2
    (tmp_path / "ckpt" / "step-00000002.safetensors").write_bytes(b"")
    (tmp_path / "ckpt" / "step-00000001.safetensors").unlink()
    with pytest.warns(RuntimeWarning, match="step-0000000[23]"):
        assert not runs.trainer(tmp_path).resume()


def test_a_folder_belongs_to_one_run_at_a_time(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.open()
    with pytest.raises(rnn.ArgumentError, match="another process"):
        runs.trainer(tmp_path).resume()
    folder.close()
    assert not runs.trainer(tmp_path).resume()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: runs.trainer(cell="lstm"), "cell is 'gru', not 'lstm'"),
        (
            lambda: runs.trainer(schedule=schedules.Plateau()),
            "schedule",
        ),
    ],
)
def test_a_checkpoint_of_another_run_is_refused(
    make: Any, words: str, tmp_path: Path
) -> None:
    trainer = runs.trainer(tmp_path)
    trainer.fit(runs.text_batches(), steps=2)
    other = make()
    other.fit(runs.text_batches(), steps=1)
    before = runs.digest(other)
    with pytest.raises(rnn.FormatError, match=words):
        other.load(tmp_path / "ckpt" / "step-00000002.safetensors")
    assert runs.digest(other) == before


def test_a_checkpoint_is_a_model_and_the_peers_reader_reads_it(tmp_path: Path) -> None:
    peer = pytest.importorskip("safetensors.numpy")
    trainer = runs.trainer(tmp_path)
    trainer.fit(runs.text_batches(), steps=2)
    path = tmp_path / "ckpt" / "step-00000002.safetensors"
    model, tensors = rnn.load(path), peer.load_file(path)
    for name, matrix in trainer.model.parameters().items():
        np.testing.assert_array_equal(model[name].value, matrix.value)
        np.testing.assert_array_equal(tensors[name], matrix.value)
    assert tensors["training/history.step"].tolist() == [1.0, 2.0]


def test_the_checksum_is_that_of_its_definition(tmp_path: Path) -> None:
    path = tmp_path / "net"
    rnn.GRU(2, 3, 1).save(path, {"naïve": 'a "quote"\n\x1f/é\u2028'})
    raw = path.read_bytes()
    (length,) = struct.unpack("<Q", raw[:8])
    header = json.loads(raw[8 : 8 + length])
    said = header["__metadata__"].pop("sha256")
    text = json.dumps(header, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert hashlib.sha256(text.encode() + raw[8 + length :]).hexdigest() == said


@pytest.mark.parametrize("name", [p.stem for p in FIXTURES.glob("*.json")])
def test_files_of_every_version_are_read(name: str) -> None:
    """Each was written when its version was new; beside it the net's answer."""
    path = FIXTURES / f"{name}.safetensors"
    expected = json.loads((FIXTURES / f"{name}.json").read_text())
    answer, _ = rnn.load(path)(np.array(expected["input"]))
    np.testing.assert_allclose(answer, expected["output"], rtol=0, atol=1e-6)
    if not name.startswith("model"):
        assert rnn.CharModel.load(path).steps == expected["steps"]


def test_a_checkpoint_without_its_training_is_told(tmp_path: Path) -> None:
    trainer = runs.trainer()
    path = tmp_path / "net.safetensors"
    trainer.model.save(path)
    with pytest.raises(rnn.FormatError, match="no checkpoint"):
        trainer.load(path)


def test_a_copied_folder_goes_on(tmp_path: Path) -> None:
    run_to(runs.trainer(tmp_path / "a"), 5)
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    one, two = runs.trainer(tmp_path / "a"), runs.trainer(tmp_path / "b")
    for trainer in (one, two):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert trainer.resume()
        run_to(trainer, 8)
    assert runs.same_bits(one, two)
