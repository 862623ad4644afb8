"""Matrices and ops: a column is one sample, a batch is more columns."""

import numpy as np

import recurrentnn as rnn

W = rnn.Matrix.normal(3, 4, std=0.5, seed=1)  # (rows, cols)
b = rnn.Matrix.zeros(3, 1)
x = rnn.Matrix(np.ones((4, 2)))  # 4 features, 2 samples

h = (W @ x + b).tanh()  # the column b is added to both columns
print("h is", h.shape, "\n", h.value)

# The same, spelt out in a graph that records nothing.
g = rnn.Graph(recording=False)
spelt_out = g.tanh(g.add(g.matmul(W, x), b))
print("equal:", np.array_equal(h.value, spelt_out.value))

# `value` is a view of the matrix's own memory: writing to it changes the matrix.
b.value[0, 0] = 10.0
print("saturated:", (W @ x + b).tanh().value[0])
