"""Generating symbols: the reference's stream, its limits and its end."""

from typing import Any

import numpy as np
import pytest

import oracle
import recurrentnn as rnn
from cases import CLASSES
from recurrentnn import reference as ref

SYMBOLS = 7

OPTIONS: dict[str, dict[str, Any]] = {
    "as it comes": {},
    "cold": {"temperature": 0.3},
    "hot": {"temperature": 5.0},
    "another seed": {"seed": 2**50},
    "greedy": {"greedy": True},
    "until a symbol": {"stop": 3},
    "greedy until a symbol": {"greedy": True, "stop": 2},
}


def pair(cell: str) -> tuple[rnn.Model, Any]:
    name = CLASSES[cell]
    sizes = (SYMBOLS, [5, 4], SYMBOLS)
    ours = getattr(rnn, name)(*sizes, embedding_size=3, dtype="float64")
    theirs = getattr(ref, name)(*sizes, embedding_size=3)
    oracle.stir(ours, 1.0)
    oracle.copy_parameters(ours, theirs)
    return ours, theirs


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("cell", CLASSES)
def test_the_same_symbols_are_drawn_as_in_the_reference(
    cell: str, options: str
) -> None:
    ours, theirs = pair(cell)
    drawn, _ = ours.generate([1, 0, 4], 40, **OPTIONS[options])
    expected, _ = theirs.generate([1, 0, 4], 40, **OPTIONS[options])
    assert drawn == expected
    assert all(isinstance(symbol, int) for symbol in drawn)


def test_a_generation_goes_on_from_its_state() -> None:
    net, _ = pair("lstm")
    whole, _ = net.generate([1], 20, greedy=True)
    first, state = net.generate([1], 8, greedy=True)
    rest, _ = net.generate([first[-1]], 12, greedy=True, state=state)
    assert first + rest == whole


def test_generating_leaves_the_state_it_was_given_as_it_was() -> None:
    net, _ = pair("gru")
    _, state = net.generate([1, 2], 5)
    before = [h.copy() for h in state.hidden]
    one, _ = net.generate([3], 9, state=state)
    two, _ = net.generate([3], 9, state=state)
    assert one == two
    for h, kept in zip(state.hidden, before, strict=True):
        np.testing.assert_array_equal(h, kept)


def test_draws_follow_the_softmax_of_the_logits() -> None:
    net = rnn.RNN(3, [2], 3, dtype="float64")
    for matrix in net.parameters().values():
        matrix.value[...] = 0.0
    net["decoder.bias"].value = np.log([[0.5], [0.3], [0.2]])
    drawn, _ = net.generate([0], 20_000, seed=1)
    shares = np.bincount(drawn, minlength=3) / len(drawn)
    np.testing.assert_allclose(shares, [0.5, 0.3, 0.2], atol=0.02)


def test_nothing_is_generated_for_a_length_of_zero() -> None:
    net, _ = pair("rnn")
    assert net.generate([1, 2], 0)[0] == []


def arrays(state: rnn.State) -> list[np.ndarray]:
    """Return the hidden vectors, (samples, size)."""
    return [np.asarray(h) for h in state.hidden]


def samples(net: rnn.Model, count: int, length: int, **options: Any) -> list[list[int]]:
    """Return what so many samples have in all."""
    generator = rnn.Generator(net, [1, 0], count=count, **options)
    new, rest = generator.advance(length), generator.rest()
    return [a + b for a, b in zip(new, rest, strict=True)]


@pytest.mark.parametrize("stop", [None, 3, [3, [1, 2]]])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("cell", CLASSES)
def test_a_sample_of_many_is_the_sample_alone(cell: str, dtype: str, stop: Any) -> None:
    net = getattr(rnn, CLASSES[cell])(SYMBOLS, [5, 4], SYMBOLS, dtype=dtype, seed=2)
    oracle.stir(net, 1.0)
    sampling = rnn.Sampling(repetition_penalty=1.3, top_p=0.95)
    options: dict[str, Any] = {"sampling": sampling, "seed": 8, "stop": stop}
    many = rnn.Generator(net, [1, 0], count=9, **options)
    together = many.advance(30)
    for number, state in enumerate(arrays(many.state)[0]):
        alone = rnn.Generator(net, [1, 0], sample=number, **options)
        assert alone.advance(30) == [together[number]]
        np.testing.assert_array_equal(arrays(alone.state)[0][0], state)
        assert alone.positions == [many.positions[number]]
        assert alone.last == [many.last[number]]
    assert len({tuple(one) for one in together}) > 1


def test_samples_are_those_of_the_reference() -> None:
    ours, theirs = pair("gflstm")
    drawn = samples(ours, 4, 25, seed=3, stop=[[2, 1], [0]])
    for number, symbols in enumerate(drawn):
        expected, _ = theirs.generate(
            [1, 0], 25, seed=3, sample=number, stop=[[2, 1], [0]]
        )
        assert symbols == expected


def test_samples_may_have_primes_and_states_of_their_own() -> None:
    net, _ = pair("gru")
    primes = [[1], [2, 3, 4], [0, 6]]
    _, states = net(np.array([[1, 2], [3, 4], [5, 6]]))
    many = rnn.Generator(net, primes, count=3, state=states, seed=4).advance(20)
    for number, prime in enumerate(primes):
        own = rnn.State(tuple(h[number : number + 1] for h in arrays(states)))
        alone = rnn.Generator(net, prime, sample=number, state=own, seed=4)
        assert alone.advance(20) == [many[number]]


def test_pieces_are_the_whole() -> None:
    net, _ = pair("lstm")
    whole = samples(net, 3, 40, stop=[[1, 2, 3], [4, 4]])
    generator = rnn.Generator(net, [1, 0], count=3, stop=[[1, 2, 3], [4, 4]])
    parts: list[list[int]] = [[], [], []]
    for length in [1] * 20 + [7, 0, 13]:
        for part, new in zip(parts, generator.advance(length), strict=True):
            part += new
    for part, new in zip(parts, generator.rest(), strict=True):
        part += new
    assert parts == whole


@pytest.mark.parametrize("cut", [1, 7, 30])
def test_a_generation_goes_on_from_its_state_position_and_history(cut: int) -> None:
    net, _ = pair("gflstm")
    sampling = rnn.Sampling(repetition_penalty=1.4, repetition_window=9)
    [whole] = samples(net, 1, 40, sampling=sampling, seed=6)
    first = rnn.Generator(net, [1, 0], sampling=sampling, seed=6)
    [begun] = first.advance(cut)
    rest = rnn.Generator(
        net,
        first.last,
        history=[1, 0, *begun[:-1]],
        state=first.state,
        position=first.positions[0],
        sampling=sampling,
        seed=6,
    )
    assert begun + rest.advance(40 - cut)[0] == whole


def test_a_stop_is_not_among_the_symbols_and_its_beginning_waits() -> None:
    # 0 1 2 0 1 2 ..
    net = rnn.RNN(3, [3], 3, dtype="float64")
    for matrix in net.parameters().values():
        matrix.value[...] = 0.0
    net["layers.0.hidden.weight_x"].value = 9.0 * np.eye(3)[[2, 0, 1]]
    net["decoder.weight"].value = np.eye(3)
    assert net.generate([0], 6, greedy=True)[0] == [1, 2, 0, 1, 2, 0]
    cases: list[tuple[Any, list[int]]] = [
        (2, [1]),
        ([2, 0], [1]),
        ([[2, 0]], [1]),
        ([[2, 0, 1, 1]], [1, 2, 0, 1, 2, 0]),
        ([[0, 1], [2, 0, 1]], [1]),
        ([[1]], []),
    ]
    for stop, expected in cases:
        assert net.generate([0], 6, greedy=True, stop=stop)[0] == expected, stop
    generator = rnn.Generator(
        net, [0], sampling=rnn.Sampling(greedy=True), stop=[[2, 0, 0]]
    )
    assert [generator.advance(1) for _ in range(4)] == [[[1]], [[]], [[]], [[2, 0, 1]]]


def test_a_sample_that_was_ended_says_nothing_more() -> None:
    net, _ = pair("rnn")
    whole = samples(net, 3, 20)
    generator = rnn.Generator(net, [1, 0], count=3)
    first = generator.advance(5)
    generator.end(0)
    generator.end(0)
    assert generator.ended == [True, False, False]
    second = generator.advance(5)
    generator.end(2)
    third = generator.advance(10)
    assert [len(new) for new in second + third] == [0, 5, 5, 0, 10, 0]
    assert first[1] + second[1] + third[1] == whole[1]
    assert generator.positions == [5, 20, 10]
    with pytest.raises(rnn.OutOfRangeError, match="sample must be below 3 but is 3"):
        generator.end(3)


@pytest.mark.parametrize(
    ("arguments", "options", "error", "words"),
    [
        (([],), {}, rnn.ArgumentError, "prime at least one symbol"),
        (([[1], []],), {"count": 2}, rnn.ArgumentError, "prime at least one symbol"),
        (([[1], [2]],), {"count": 3}, rnn.ArgumentError, "prime one per sample 3 2"),
        (([7],), {}, rnn.OutOfRangeError, "prime below 7 7"),
        (([1],), {"count": 0}, rnn.ArgumentError, "count at least 1 0"),
        (([1],), {"history": [9]}, rnn.OutOfRangeError, "history below 7 9"),
        (([1],), {"stop": 7}, rnn.OutOfRangeError, "stop below 7 7"),
        (([1],), {"stop": [[]]}, rnn.ArgumentError, "stop at least one symbol"),
        (([1],), {"stop": "end"}, rnn.ArgumentTypeError, "stop symbol str"),
        (([1],), {"sample": 2**32}, rnn.ArgumentError, "sample 2^32"),
        (
            ([1],),
            {"sample": 2**32 - 1, "count": 2},
            rnn.ArgumentError,
            "samples below 2^32",
        ),
        (([1],), {"position": -1}, rnn.ArgumentError, "position -1"),
    ],
)
def test_a_wrong_request_is_refused_by_name(
    arguments: Any, options: Any, error: type[Exception], words: str
) -> None:
    net, _ = pair("rnn")
    with pytest.raises(error) as caught:
        rnn.Generator(net, *arguments, **options)
    for word in words.split():
        assert word in str(caught.value)


def test_a_state_must_be_that_of_one_sample_or_of_all() -> None:
    net, _ = pair("rnn")
    _, state = net(np.array([[1], [2]]))
    with pytest.raises(rnn.ShapeError):
        rnn.Generator(net, [1], count=3, state=state)
    with pytest.raises(rnn.ArgumentTypeError, match="model must be a Model"):
        rnn.Generator("net", [1])  # type: ignore[arg-type]
