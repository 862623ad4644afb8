"""Whole sequences: echo the input of two ticks before."""

import numpy as np

import recurrentnn as rnn

rng = np.random.default_rng(0)
net = rnn.GRU(1, [16], 1, seed=0)
optimizer = rnn.RMSProp(learning_rate=5e-3)

for step in range(301):
    x = rng.uniform(-1, 1, size=(16, 20, 1))  # (batch, time, features)
    echo = np.roll(x, 2, axis=1)
    echo[:, :2] = 0.0
    with rnn.Graph() as graph:
        y, _ = net(x)  # in a graph: features x (batch*time)
        loss = graph.squared_error(y, echo.reshape(1, -1))
    graph.backward(loss)
    optimizer.step(net)
    if step % 100 == 0:
        print(f"step {step:3}  squared error {loss.item():.4f}")

# Outside a graph: arrays. In two halves, with the state between, or in one go.
x = rng.uniform(-1, 1, size=(1, 20, 1))
whole, _ = net(x)
first, state = net(x[:, :10])
second, _ = net(x[:, 10:], state)
halves = np.concatenate([np.asarray(first), np.asarray(second)], axis=1)
print("halves equal the whole:", np.array_equal(halves, np.asarray(whole)))
