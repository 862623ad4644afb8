"""One tick at a time, as in RecurrentNN.jl: the state goes in and comes out."""

import numpy as np

import recurrentnn as rnn

lstm = rnn.LSTM(10, [20, 20], 2, seed=0)  # 10 inputs, two layers of 20, 2 outputs
print(lstm.summary())

inputs = [rnn.Matrix.normal(10, 1, seed=k) for k in range(3)]
target = 1
optimizer = rnn.RMSProp(learning_rate=0.01, weight_decay=1e-5, clip_value=5.0)

for step in range(21):
    graph = rnn.Graph()
    prev = lstm.forward(graph, inputs[0])  # hidden, cell, output
    for x in inputs[1:]:
        prev = lstm.forward(graph, x, prev)
    loss = graph.softmax_cross_entropy(prev.output, [target])
    graph.backward(loss)
    stats = optimizer.step(lstm)
    if step % 5 == 0:
        print(
            f"step {step:2}  loss {loss.item():.4f}  |gradient| {stats.grad_norm:.3f}"
        )

print("layers of the last state:", [h.shape for h in prev.hidden])
print("probabilities:", np.round(prev.output.softmax().value.ravel(), 3))
