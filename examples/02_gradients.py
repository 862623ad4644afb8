"""Gradients: record, go backward, check, step."""

import numpy as np

import recurrentnn as rnn

# Softmax regression on four points, two of each class.
W = rnn.Matrix.normal(2, 2, std=0.1, seed=1, dtype="float64")
b = rnn.Matrix.zeros(2, 1, dtype="float64")
points = np.array([[0.0, 0.2, 0.9, 1.0], [0.1, 0.0, 1.0, 0.8]])  # (features, batch)
classes = [0, 0, 1, 1]


def loss_of(graph: rnn.Graph) -> rnn.Matrix:
    """Mean cross-entropy in nats, 1x1."""
    return graph.softmax_cross_entropy(W @ points + b, classes)


# Whether backward gives the derivative of what forward computes.
print("largest error of a gradient:", rnn.gradcheck(loss_of, {"W": W, "b": b}))

optimizer = rnn.RMSProp(learning_rate=0.1)
for step in range(51):
    with rnn.Graph() as graph:
        loss = loss_of(graph)
    graph.backward(loss)  # adds to W.grad and b.grad
    optimizer.step([W, b])  # uses them up
    if step % 10 == 0:
        print(f"step {step:2}  loss {loss.item():.4f}")

# Without a loss: seed the gradient of a result by hand.
with rnn.Graph() as graph:
    y = W @ points
y.grad[0, 3] = 1.0
graph.backward()
print("d y[0, 3] / d W =\n", W.grad)
