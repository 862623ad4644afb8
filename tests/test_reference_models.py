"""The oracle's nets, sampling and text, held against numbers of their own.

Cells of one unit are worked out here as plain sums; larger ones are held against
central differences and against each other where the mathematics says they agree.
"""

import math
from collections.abc import Callable
from typing import Any

import pytest

from recurrentnn import _recurrentnn as compiled
from recurrentnn import models
from recurrentnn import reference as ref
from recurrentnn.reference import random, sample

EXACT = 1e-14


def sigma(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-x))


def stir(net: ref.Model) -> None:
    """Add to every parameter numbers of its own: a bias of 0 hides which gate it is."""
    for number, m in enumerate(net.parameters().values()):
        draw = ref.Matrix.normal(*m.shape, std=0.4, seed=number)
        m.value = [a + b for a, b in zip(m.value, draw.value, strict=True)]


# --- one unit, by hand ------------------------------------------------------


def weights(net: ref.Model) -> dict[str, float]:
    """Return the numbers of a net all of whose parameters are 1x1."""
    return {name: m.item() for name, m in net.parameters().items()}


def gate(p: dict[str, float], name: str, x: float, *h: float) -> float:
    """Return W x + U h + b; of several h, column k of U is "weight_h k"."""
    result = p[f"{name}.weight_x"] * x + p[f"{name}.bias"]
    for k, h_k in enumerate(h):
        result += p[f"{name}.weight_h {k}" if len(h) > 1 else f"{name}.weight_h"] * h_k
    return result


def fed(p: dict[str, float], x: float, h: tuple[float, float]) -> float:
    """Return F of a layer among two of one unit, prefix stripped."""
    result = 0.0
    for i in (0, 1):
        g = sigma(gate(p, f"feedback.{i}.gate", x, *h))
        result += g * p[f"feedback.{i}.weight_h"] * h[i]
    return result


def rnn(p: dict[str, float], x: float, h: float, _c: float) -> tuple[float, float]:
    return math.tanh(gate(p, "hidden", x, h)), 0.0


def relu_rnn(p: dict[str, float], x: float, h: float, _c: float) -> tuple[float, float]:
    return max(gate(p, "hidden", x, h), 0.0), 0.0


def lstm(p: dict[str, float], x: float, h: float, c: float) -> tuple[float, float]:
    i, f, o = (sigma(gate(p, name, x, h)) for name in ("input", "forget", "output"))
    c = f * c + i * math.tanh(gate(p, "candidate", x, h))
    return o * math.tanh(c), c


def gru_after(
    p: dict[str, float], x: float, h: float, _c: float
) -> tuple[float, float]:
    r, z = sigma(gate(p, "reset", x, h)), sigma(gate(p, "update", x, h))
    inner = p["candidate.weight_h"] * h + p["candidate.bias_h"]
    n = math.tanh(p["candidate.weight_x"] * x + p["candidate.bias"] + r * inner)
    return (1.0 - z) * n + z * h, 0.0


def gru_before(
    p: dict[str, float], x: float, h: float, _c: float
) -> tuple[float, float]:
    r, z = sigma(gate(p, "reset", x, h)), sigma(gate(p, "update", x, h))
    n = math.tanh(gate(p, "candidate", x, r * h))
    return (1.0 - z) * n + z * h, 0.0


ByHand = Callable[[dict[str, float], float, float, float], tuple[float, float]]


@pytest.mark.parametrize(
    ("cell", "options", "by_hand"),
    [
        ("RNN", {}, rnn),
        ("RNN", {"activation": "relu"}, relu_rnn),
        ("LSTM", {}, lstm),
        ("GRU", {}, gru_after),
        ("GRU", {"reset": "before"}, gru_before),
    ],
)
def test_a_unit_follows_its_equations(
    cell: str, options: dict[str, Any], by_hand: ByHand
) -> None:
    net = getattr(ref, cell)(1, [1, 1], 1, seed=3, **options)
    stir(net)
    p = weights(net)
    layers = [{k.removeprefix(f"layers.{j}."): v for k, v in p.items()} for j in (0, 1)]
    h, c = [0.0, 0.0], [0.0, 0.0]
    prev = None
    for x in (0.7, -1.2, 0.4):
        prev = net.forward(ref.Graph(recording=False), [[x]], prev)
        below = x
        for j in (0, 1):
            h[j], c[j] = by_hand(layers[j], below, h[j], c[j])
            below = h[j]
        assert [m.item() for m in prev.hidden] == pytest.approx(h, rel=EXACT, abs=EXACT)
        if cell == "LSTM":
            assert [m.item() for m in prev.cell] == pytest.approx(
                c, rel=EXACT, abs=EXACT
            )
        else:
            assert prev.cell == ()
        y = p["decoder.weight"] * h[1] + p["decoder.bias"]
        assert prev[-1].item() == pytest.approx(y, rel=EXACT, abs=EXACT)


# `read` is what the unit gates read: the layer's own h, or those of both layers.
Read = tuple[float, ...]


def gf_rnn(
    p: dict[str, float], x: float, _read: Read, _h: float, _c: float, f: float
) -> Any:
    return math.tanh(p["hidden.weight_x"] * x + f + p["hidden.bias"]), 0.0


def gf_lstm(
    p: dict[str, float], x: float, read: Read, _h: float, c: float, f: float
) -> Any:
    i, k, o = (sigma(gate(p, name, x, *read)) for name in ("input", "forget", "output"))
    n = math.tanh(p["candidate.weight_x"] * x + f + p["candidate.bias"])
    c = k * c + i * n
    return o * math.tanh(c), c


def gf_gru(
    p: dict[str, float], x: float, read: Read, h: float, _c: float, f: float
) -> Any:
    r, z = sigma(gate(p, "reset", x, *read)), sigma(gate(p, "update", x, *read))
    n = math.tanh(p["candidate.weight_x"] * x + p["candidate.bias"] + r * f)
    return (1.0 - z) * n + z * h, 0.0


@pytest.mark.parametrize(
    "options", [{}, {"gate": "vector"}, {"all_to_gates": True}], ids=str
)
@pytest.mark.parametrize(
    ("cell", "by_hand"), [("GFRNN", gf_rnn), ("GFLSTM", gf_lstm), ("GFGRU", gf_gru)]
)
def test_a_fed_unit_follows_its_equations(
    cell: str, by_hand: Any, options: dict[str, Any]
) -> None:
    net = getattr(ref, cell)(1, [1, 1], None, seed=3, **options)
    stir(net)
    layers: list[dict[str, float]] = [{}, {}]
    for name, m in net.parameters().items():
        _, j, rest = name.split(".", 2)
        if m.cols == 2:
            layers[int(j)] |= {f"{rest} {i}": m.value[i] for i in (0, 1)}
        else:
            layers[int(j)][rest] = m.item()
    h, c = (0.0, 0.0), [0.0, 0.0]
    prev = None
    for x in (0.7, -1.2, 0.4):
        prev = net.forward(ref.Graph(recording=False), [[x]], prev)
        below, new = x, []
        for j in (0, 1):
            # Feedback is of the last tick: h, not new.
            f = fed(layers[j], below, h)
            read = h if options.get("all_to_gates") else (h[j],)
            below, c[j] = by_hand(layers[j], below, read, h[j], c[j], f)
            new.append(below)
        h = (new[0], new[1])
        assert [m.item() for m in prev.hidden] == pytest.approx(h, rel=EXACT, abs=EXACT)
        assert prev.output.item() == prev.hidden[1].item()


# --- nets -------------------------------------------------------------------


def test_the_reference_has_the_librarys_cells_and_a_class_for_each() -> None:
    assert tuple(ref.CELLS) == compiled.CELLS
    for cell, public in models.MODELS.items():
        make: Any = public
        named = getattr(ref, public.__name__)
        assert issubclass(named, ref.Model)
        net = named(5, 3, None, seed=7)
        assert net.config() == ref.Model(cell, 5, [3], None, seed=7).config()
        assert (net.cell, net.embedding_size) == (cell, None)
        ours, net = (c(5, [3], None, embedding_size=2) for c in (make, named))
        for size in ("input_size", "hidden_sizes", "output_size", "embedding_size"):
            assert getattr(net, size) == getattr(ours, size), size


def test_parameters_are_named_and_ordered_as_the_contract_says() -> None:
    net: ref.Model = ref.GRU(5, [3, 2], 4, embedding_size=6)
    shapes = {name: str(m.shape) for name, m in net.parameters().items()}
    assert list(shapes.items())[:12] == [
        ("embedding.weight", "5x6"),
        ("layers.0.reset.weight_x", "3x6"),
        ("layers.0.reset.weight_h", "3x3"),
        ("layers.0.reset.bias", "3x1"),
        ("layers.0.update.weight_x", "3x6"),
        ("layers.0.update.weight_h", "3x3"),
        ("layers.0.update.bias", "3x1"),
        ("layers.0.candidate.weight_x", "3x6"),
        ("layers.0.candidate.weight_h", "3x3"),
        ("layers.0.candidate.bias", "3x1"),
        ("layers.0.candidate.bias_h", "3x1"),
        ("layers.1.reset.weight_x", "2x3"),
    ]
    assert list(shapes.items())[-2:] == [
        ("decoder.weight", "4x2"),
        ("decoder.bias", "4x1"),
    ]
    assert net["decoder.bias"] is net.parameters()["decoder.bias"]

    net = ref.GFLSTM(5, [3, 2], 4, paper=True)
    shapes = {n: str(m.shape) for n, m in net.parameters().items() if "layers.1" in n}
    assert list(shapes.items()) == [
        *(
            (f"layers.1.{name}.{part}", shape)
            for name in ("input", "forget", "output")
            for part, shape in (
                ("weight_x", "2x8"),
                ("weight_h", "2x5"),
                ("bias", "2x1"),
            )
        ),
        ("layers.1.candidate.weight_x", "2x8"),
        ("layers.1.candidate.bias", "2x1"),
        ("layers.1.feedback.0.weight_h", "2x3"),
        ("layers.1.feedback.0.gate.weight_x", "1x8"),
        ("layers.1.feedback.0.gate.weight_h", "1x5"),
        ("layers.1.feedback.0.gate.bias", "1x1"),
        ("layers.1.feedback.1.weight_h", "2x2"),
        ("layers.1.feedback.1.gate.weight_x", "1x8"),
        ("layers.1.feedback.1.gate.weight_h", "1x5"),
        ("layers.1.feedback.1.gate.bias", "1x1"),
    ]
    assert str(net["decoder.weight"].shape) == "4x5"


def test_first_values_follow_the_initialiser_and_the_number_of_the_parameter() -> None:
    net: ref.Model = ref.LSTM(5, [3, 2], 4, embedding_size=6, seed=8)
    names = list(net.parameters())
    step = names.index("layers.0.forget.weight_h")
    expected = ref.init.orthogonal(3, 3, seed=8, step=step)
    assert net["layers.0.forget.weight_h"].value == expected.value
    limit = math.sqrt(6.0 / (4 + 2))
    u = random.uniform(8, random.INIT, names.index("decoder.weight"), 1)
    assert net["decoder.weight"].value[1] == -limit + 2.0 * limit * u
    z = random.normal(8, random.INIT, 0, 7)
    assert net["embedding.weight"].value[7] == pytest.approx(z / math.sqrt(6.0))
    for name, m in net.parameters().items():
        if name.endswith("bias"):
            assert set(m.value) == {1.0 if name.endswith("forget.bias") else 0.0}
    for kind in ("normal", "uniform"):
        net = ref.RNN(5, [30], 4, init=kind, std=0.1, seed=1)
        spread = max(map(abs, net["layers.0.hidden.weight_h"].value))
        assert (spread > 0.2) == (kind == "normal")


@pytest.mark.parametrize(
    ("cell", "options"),
    [
        ("RNN", {"input_to_all": True, "all_to_output": True}),
        ("RNN", {"activation": "relu"}),
        ("LSTM", {"input_to_all": True}),
        ("GRU", {}),
        ("GRU", {"reset": "before", "all_to_output": True}),
        ("GFRNN", {"gate": "vector"}),
        ("GFLSTM", {"paper": True}),
        ("GFLSTM", {"gate": "vector"}),
        ("GFGRU", {"paper": True, "gate": "vector"}),
        ("GFGRU", {}),
    ],
)
def test_gradients_through_time_equal_central_differences(
    cell: str, options: dict[str, Any]
) -> None:
    net = getattr(ref, cell)(2, [2, 1], 1, embedding_size=2, seed=5, **options)
    stir(net)

    def run(graph: ref.Graph) -> ref.Matrix:
        output, state = net([[0, 1], [1, 1]])
        hidden = state.hidden[0]
        return graph.concat(output.T, hidden.reshape(4, 1))

    ref.gradcheck(run, net)


@pytest.mark.parametrize("cell", ["RNN", "LSTM", "GRU"])
def test_feedback_gates_open_to_oneself_and_shut_to_others_give_the_stack(
    cell: str,
) -> None:
    stack = getattr(ref, cell)(3, [4, 2], 3, seed=6)
    stir(stack)
    fed_net = getattr(ref, f"GF{cell}")(3, [4, 2], 3, seed=7)
    own = {
        name: m for name, m in fed_net.parameters().items() if "feedback" not in name
    }
    for name, m in own.items():
        m.value = stack[name].value
    gated = "hidden" if cell == "RNN" else "candidate"
    for j in (0, 1):
        scope = f"layers.{j}"
        weight = stack[f"{scope}.{gated}.weight_h"]
        fed_net[f"{scope}.feedback.{j}.weight_h"].value = weight.value
        for i in (0, 1):
            bias = fed_net[f"{scope}.feedback.{i}.gate.bias"]
            bias.value = [40.0 if i == j else -800.0]
        if cell == "GRU":
            stack[f"{scope}.candidate.bias_h"].value = [0.0] * weight.rows
    x = [[[0.5, -1.0, 2.0], [0.1, 0.2, 0.3], [1.0, 1.0, -1.0]]]
    expected, got = stack(x)[0], fed_net(x)[0]
    for row, expected_row in zip(got[0], expected[0], strict=True):
        assert row == pytest.approx(expected_row, abs=1e-14)


def test_layouts_hold_the_same_numbers() -> None:
    net = ref.GRU(2, 3, 2, seed=1)
    x = [[[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]], [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]]
    y, state = net(x)
    for b in (0, 1):
        alone, its_state = net(x[b])
        assert alone == y[b]
        assert its_state.hidden[0].value == state.hidden[0].column(b)
    by_time = [[x[b][t] for b in (0, 1)] for t in range(3)]
    turned, _ = net(by_time, time_major=True)
    assert turned == [[y[b][t] for b in (0, 1)] for t in range(3)]
    with ref.Graph():
        joined, _ = net(x)
    assert [joined.column(b * 3 + t) for b in (0, 1) for t in range(3)] == [
        *y[0],
        *y[1],
    ]
    assert net([[], []])[0] == [[], []]


def test_symbols_are_one_hot_columns_or_rows_of_the_embedding() -> None:
    net = ref.RNN(3, 2, 2, seed=1)
    assert net([2, 0])[0] == net([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])[0]
    net = ref.RNN(3, 2, 2, embedding_size=4, seed=1)
    row = net["embedding.weight"].row(1)
    twin = ref.RNN(4, 2, 2)
    for name, m in twin.parameters().items():
        m.value = net[name].value
    assert net([1])[0] == twin([row])[0]
    with pytest.raises(TypeError, match="reads symbols, not features"):
        net([row])


def test_the_state_carried_over_chunks_is_that_of_one_run() -> None:
    net = ref.LSTM(3, [4, 2], 3, seed=2)
    symbols = [0, 2, 1, 1, 0, 2, 2]
    whole, end = net(symbols)
    ticks = [[symbol] for symbol in symbols]
    outputs = []
    for graph, steps in ref.truncated(net, ticks, 3):
        graph.backward(graph.sum(steps[-1].output))
        outputs += [step.output.value for step in steps]
    assert outputs == whole
    first, state = net(symbols[:4])
    second, state = net(symbols[4:], state)
    assert first + second == whole
    assert [m.value for m in state.cell] == [m.value for m in end.cell]


def test_a_chunk_that_was_not_differentiated_is_carried_by_value_too() -> None:
    net = ref.RNN(2, 2, 2, seed=2)
    chunks = list(ref.truncated(net, [[0], [1]], 1))
    assert [steps[0].output.value for _, steps in chunks] == net([0, 1])[0]
    assert not len(chunks[0][0])


def test_truncation_stops_gradients_at_the_chunk() -> None:
    net = ref.RNN(2, 2, 2, embedding_size=2, seed=2)
    for graph, steps in ref.truncated(net, [[0], [1]], 1):
        net.zero_grad()
        graph.backward(graph.sum(steps[-1].output))
    gradient = net["embedding.weight"]
    assert not any(gradient.grad[0::2])
    assert all(gradient.grad[1::2])


def test_the_input_of_every_layer_comes_below_the_vector_from_the_layer_below() -> None:
    net = ref.RNN(1, [1, 1], None, input_to_all=True, all_to_output=True, seed=2)
    p = net.parameters()
    p["layers.1.hidden.weight_x"].value = [3.0, 5.0]
    output, _ = net([[0.5]])
    h = math.tanh(p["layers.0.hidden.weight_x"].item() * 0.5)
    assert output[0] == pytest.approx(
        [h, math.tanh(3.0 * h + 5.0 * 0.5)], rel=EXACT, abs=EXACT
    )


def test_a_state_that_does_not_fit_is_named() -> None:
    net = ref.LSTM(2, [3], 2)
    _, state = net([0])
    with pytest.raises(ValueError, match=r"hidden must be .*3x2.* but is .*3x1"):
        net([[0], [1]], state)
    with pytest.raises(ValueError, match="cell must be"):
        net([0], ref.State(state.hidden))


# --- text, sampling, metrics ------------------------------------------------


def test_a_vocabulary_counts_code_points_in_order() -> None:
    text = "b🙂a\nb"
    plain, lines = (
        ref.Vocabulary.from_text(text),
        ref.Vocabulary.from_text(text, boundary=True),
    )
    assert plain.symbols == ("\n", "a", "b", "🙂")
    assert plain.encode(text) == [2, 3, 1, 0, 2]
    assert plain.decode(plain.encode(text)) == text
    assert (len(lines), lines.symbols) == (4, ("a", "b", "🙂"))
    assert lines.encode("b🙂a") == [2, 3, 1]
    assert lines.decode([0, 1, 0]) == "\na\n"
    assert "\n" not in lines
    with pytest.raises(ValueError, match="'x' at position 1 is not in the vocabulary"):
        plain.encode("ax")
    with pytest.raises(IndexError, match="must be below 4 but one is 4"):
        lines.decode([4])
    for symbols in ("", "aa", ["ab"]):
        with pytest.raises(ValueError, match="Vocabulary: "):
            ref.Vocabulary(symbols)


def test_a_draw_inverts_the_cumulative_distribution() -> None:
    logits = [math.log(p) for p in (0.1, 0.6, 0.3)]
    for u, symbol in ((0.0, 0), (0.099, 0), (0.101, 1), (0.699, 1), (0.701, 2)):
        assert sample.draw(logits, 1.0, u) == symbol
    # p^2 / sum p^2 = 0.01, 0.36, 0.09 of 0.46
    assert sample.draw(logits, 0.5, 0.0217) == 0
    assert sample.draw(logits, 0.5, 0.0218) == 1
    assert sample.draw([-1e9, 0.0], 1.0, 0.0) == 1
    for u in (1.0 - 2.0**-53, 1.0):
        assert sample.draw([0.0, 0.0, -1e9], 1.0, u) == 1
    assert sample.draw([1e6, -1e6], 1.0, 0.999) == 0
    assert sample.greedy([1.0, 3.0, 3.0]) == 1
    for bad in (math.nan, math.inf):
        with pytest.raises(ArithmeticError, match="logit 1 is"):
            sample.draw([0.0, bad], 1.0, 0.5)
    with pytest.raises(ValueError, match="temperature must be"):
        sample.draw([0.0], 0.0, 0.5)


def test_generation_draws_symbol_k_with_draw_k_and_can_be_continued() -> None:
    net = ref.GRU(4, 5, 4, seed=3)
    chosen, state = net.generate([1, 2], 6, temperature=0.8, seed=9)
    symbols = [1, 2, *chosen]
    logits, end = net(symbols[:-1])
    for k, symbol in enumerate(chosen):
        u = random.uniform(9, random.SAMPLE, 0, k)
        assert sample.draw(logits[k + 1], 0.8, u) == symbol
    assert state.hidden[0].value == end.hidden[0].value

    greedy, state = net.generate([1], 6, greedy=True)
    first, state = net.generate([1], 3, greedy=True)
    second, _ = net.generate(first[-1:], 3, greedy=True, state=state)
    assert first + second == greedy
    assert net.generate([1], 6, greedy=True, stop=greedy[0])[0] == []
    with pytest.raises(ValueError, match="prime must hold"):
        net.generate([], 3)


def test_metrics_of_a_uniform_guess() -> None:
    assert ref.perplexity(math.log(65.0)) == pytest.approx(65.0, rel=EXACT, abs=EXACT)
    assert ref.perplexity(1e4) == math.inf
    assert ref.bits_per_symbol(math.log(2.0)) == 1.0
    assert ref.bits_per_char(20.0 * math.log(2.0), 10) == 2.0
    assert math.isnan(ref.bits_per_char(1.0, 0))


@pytest.mark.parametrize("cell", ref.CELLS)
def test_every_cell_learns_to_count_to_three(cell: str) -> None:
    net = ref.Model(cell, 3, [4], 3, seed=1)
    optimizer = ref.RMSProp(0.05)
    for _ in range(40):
        with ref.Graph() as g:
            logits, _ = net([0, 1, 2, 0, 1])
            loss = g.softmax_cross_entropy(logits, [1, 2, 0, 1, 2])
        g.backward(loss)
        optimizer.step(net)
    assert loss.item() < 0.05
    assert net.generate([0], 5, greedy=True)[0] == [1, 2, 0, 1, 2]
