"""What reviewers and attackers found, and must not come back."""

import gc
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import recurrentnn as rnn

# --- memory -----------------------------------------------------------------


def test_a_result_that_no_memory_holds_is_a_memory_error() -> None:
    tall, wide = rnn.Matrix.zeros(2**30, 0), rnn.Matrix.zeros(0, 2**30)
    with pytest.raises(MemoryError, match="matmul"):
        _ = tall @ wide
    with rnn.Graph() as g:
        for _ in range(30):
            wide = g.concat_columns(wide, wide)
        with pytest.raises(MemoryError):
            _ = tall @ wide


def test_sizes_that_no_net_has_are_refused_before_they_are_made() -> None:
    for sizes in (10**6, [2**24, 2**24]):
        with pytest.raises(rnn.ArgumentError, match="parameters"):
            rnn.LSTM(10, sizes, 5)


def resident_kilobytes() -> int:
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE") // 1024


def test_an_optimizer_forgets_matrices_that_are_gone() -> None:
    optimizer = rnn.RMSProp()

    def step() -> None:
        optimizer.step([rnn.Matrix.zeros(256, 256)])

    for _ in range(50):
        step()
    gc.collect()
    before = resident_kilobytes()
    for _ in range(500):
        step()
    # 500 means would be 128 MB.
    assert resident_kilobytes() - before < 32_000


# --- processes, threads, signals ---------------------------------------------


def _build_in_a_fork() -> None:
    net = rnn.LSTM(64, [128], 64)
    output, _ = net(np.zeros((16, 3, 64)))
    os._exit(0 if np.isfinite(output).all() else 1)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_process_computes_without_the_threads_it_lost() -> None:
    rnn.LSTM(64, [128], 64)  # the pool of this process
    child = multiprocessing.get_context("fork").Process(target=_build_in_a_fork)
    child.start()
    child.join(60)
    alive = child.is_alive()
    child.kill()
    assert not alive, "the child waits for threads that it does not have"
    assert child.exitcode == 0


def test_many_threads_may_tick_through_one_graph_that_does_not_record() -> None:
    net, graph = rnn.LSTM(3, [4], 2), rnn.Graph(recording=False)
    x = np.ones((3, 1))
    failures: list[BaseException] = []

    def tick() -> None:
        try:
            for _ in range(2000):
                net.forward(graph, x)
        except BaseException as error:  # a thread's exception is lost otherwise
            failures.append(error)

    threads = [threading.Thread(target=tick) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_graphs_may_be_left_in_any_order() -> None:
    def record() -> Iterator[rnn.Graph]:
        with rnn.Graph() as g:
            yield g

    first, second = record(), record()
    next(first)
    next(second)
    for generator in (first, second):
        generator.close()  # type: ignore[attr-defined]
    output, _ = rnn.LSTM(2, [2], 2)(np.zeros((1, 3, 2)))
    assert isinstance(output, np.ndarray), "a graph that was left still records"


class Alarm(Exception):
    """What the handler raises."""


@pytest.mark.parametrize(
    "call",
    [
        lambda net: net.generate([1], 10**6),
        lambda net: net.generate([1] * 10**6, 1),
        lambda net: rnn.Generator(net, [1], count=5).advance(10**6),
        lambda net: rnn.beam_search(net, [1], 10**5),
        lambda net: net(np.zeros((1, 10**5), dtype=np.int64)),
        lambda net: net.activations(np.zeros((1, 10**5), dtype=np.int64)),
    ],
)
def test_a_long_call_is_interrupted(call: object) -> None:
    net = rnn.LSTM(50, [64], 50)

    def handler(*_: object) -> None:
        raise Alarm

    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    try:
        with pytest.raises(Alarm):
            call(net)  # type: ignore[operator]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_what_a_conversion_raises_is_not_swallowed() -> None:
    class Interrupting:
        def __array__(self, *_: object) -> np.ndarray:
            raise KeyboardInterrupt

        def __float__(self) -> float:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rnn.Matrix(Interrupting())
    with pytest.raises(KeyboardInterrupt):
        rnn.Matrix([[1.0]]).scale(Interrupting())  # type: ignore[arg-type]


# --- numbers ------------------------------------------------------------------


def test_an_assignment_after_recording_is_noticed_by_backward() -> None:
    x = rnn.Matrix([[0.5]], dtype="float64")
    for assigned in ("leaf", "node"):
        with rnn.Graph() as g:
            y = x.tanh()
            loss = y.sum()
        (x if assigned == "leaf" else y).value = np.zeros((1, 1))
        with pytest.raises(rnn.GraphError, match="record again"):
            g.backward(loss)


def test_a_graph_records_one_dtype() -> None:
    single, double = rnn.Matrix([[1.0]]), rnn.Matrix([[1.0]], dtype="float64")
    g = rnn.Graph()
    g.tanh(single)
    with pytest.raises(rnn.DTypeError, match="records float32"):
        g.tanh(double)
    g.clear()
    assert g.add(g.tanh(double), 1.0).dtype == np.float64


def test_a_matrix_is_no_number() -> None:
    x, alpha = rnn.Matrix([[1.0]]), rnn.Matrix([[2.0]])
    for call in (x.scale, x.shift, x.pow):
        with pytest.raises(rnn.ArgumentTypeError, match="Matrix"):
            call(alpha)  # type: ignore[arg-type]


def test_a_mean_is_divided_once() -> None:
    ones = rnn.Matrix.ones(49, 1, dtype="float64")
    assert ones.mean().item() == 1.0
    assert ones.mean(axis=0).item() == 1.0


def test_no_finite_gradient_makes_a_weight_infinite() -> None:
    for optimizer in (rnn.RMSProp(eps=0.0), rnn.RMSProp(eps=1e-60)):
        w = rnn.Matrix([[1.0, 1.0]])
        w.grad[...] = [[0.0, 1e-25]]
        optimizer.step([w])
        assert np.isfinite(w.value).all()
    w = rnn.Matrix([[1.0]])
    w.grad[...] = 1e20  # its square is infinite in float32
    with pytest.raises(rnn.NonFiniteError, match="square"):
        rnn.RMSProp().step([w])
    assert w.value == 1.0
    rnn.RMSProp(clip_value=1.0).step([w])
    assert np.isfinite(w.value).all()
    v = rnn.Matrix([[1.0]], dtype="float64")
    v.grad[...] = 1e200
    with pytest.raises(rnn.NonFiniteError, match="norm"):
        rnn.RMSProp(clip_norm=1.0).step([v])
    for setting in ("learning_rate", "eps", "weight_decay"):
        with pytest.raises(rnn.ArgumentError, match=setting):
            setattr(rnn.RMSProp(), setting, 1e39)


def test_a_net_with_a_weight_that_is_no_number_is_not_saved(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    net = rnn.LSTM(2, [2], 2)
    net.save(path)
    before = path.read_bytes()
    net["decoder.bias"].value[0, 0] = np.nan
    with pytest.raises(rnn.NonFiniteError, match=r"decoder\.bias"):
        net.save(path)
    assert path.read_bytes() == before


def test_options_that_the_cell_would_ignore_are_refused() -> None:
    with pytest.raises(rnn.ArgumentError, match="forget_bias"):
        rnn.Model("gru", 2, [2], 2, forget_bias=0.0)
    with pytest.raises(rnn.ArgumentError, match="std"):
        rnn.LSTM(2, [2], 2, std=0.5)


# --- sequences -----------------------------------------------------------------


def test_targets_and_masks_have_the_layout_of_the_sequence() -> None:
    net = rnn.LSTM(5, [4], 5)
    x = np.arange(6).reshape(2, 3) % 5
    with rnn.Graph() as g:
        logits, _ = net(x)
        assert isinstance(logits, rnn.Matrix)
        for targets, mask in ((x.T, None), (x, np.ones((3, 2))), (x, np.ones(6))):
            with pytest.raises(rnn.ShapeError, match="softmax_cross_entropy"):
                logits.softmax_cross_entropy(targets, mask)
        loss = logits.softmax_cross_entropy(x)
        flat = logits.softmax_cross_entropy(x.ravel())
    assert loss.item() == flat.item()
    g.clear()


def test_an_array_stands_beside_a_sequence_in_its_own_layout() -> None:
    net = rnn.GRU(3, [4], 2, dtype="float64")
    x, y = np.ones((2, 5, 3)), np.arange(20.0).reshape(2, 5, 2)
    with rnn.Graph() as g:
        output, _ = net(x)
        assert isinstance(output, rnn.Matrix)
        loss = output.squared_error(y)
        with pytest.raises(rnn.ShapeError, match=r"\(2, 5, features\)"):
            output.squared_error(y.transpose(1, 0, 2))
    assert loss.item() == pytest.approx(np.mean((output.sequence - y) ** 2), rel=1e-14)
    g.clear()


def test_an_empty_sequence_checks_its_state_too() -> None:
    net = rnn.LSTM(3, [4], 2)
    _, other = rnn.LSTM(3, [7], 2)(np.zeros((1, 1, 3)))
    with pytest.raises(rnn.ShapeError, match="state"):
        net(np.zeros((1, 0, 3)), other)


# --- files ----------------------------------------------------------------------


def test_only_regular_files_are_replaced_and_links_are_followed(tmp_path: Path) -> None:
    net = rnn.RNN(2, [2], 2)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OSError, match="regular"):
        net.save(pipe)
    assert pipe.is_fifo()
    target, link = tmp_path / "target", tmp_path / "link"
    net.save(target)
    target.chmod(0o600)
    link.symlink_to(target)
    rnn.RNN(2, [2], 2, seed=5).save(link)
    assert link.is_symlink()
    assert target.stat().st_mode & 0o777 == 0o600
    assert rnn.load(target).config()["seed"] == 5


def test_a_device_is_no_model() -> None:
    with pytest.raises(rnn.FormatError, match="regular"):
        rnn.load("/dev/zero")


@pytest.mark.parametrize("output", ["none/x.safetensors", "."])
def test_train_sees_where_it_cannot_write_before_it_learns(
    output: str, tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("not a run's")
    command = [sys.executable, "-m", "recurrentnn", "train", "--output"]
    done = subprocess.run(
        [*command, str(tmp_path / output), "--minutes", "5"],
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode in (2, 3)
    assert b"step" not in done.stderr


def test_sigterm_keeps_what_is_learnt(tmp_path: Path) -> None:
    output = tmp_path / "model.safetensors"
    command = [sys.executable, "-m", "recurrentnn", "train", "--output", str(output)]
    options = ["--minutes", "5", "--hidden-sizes", "16"]
    with subprocess.Popen([*command, *options], stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        while b"step" not in process.stderr.readline():
            pass
        process.terminate()
        process.stderr.read()
    assert process.returncode == 143
    assert rnn.CharModel.load(output).steps > 0
