"""Measures the same work in other libraries beside ours, and shows that it is the same.

`work` says what is computed, a *side* (`ours`, `torch_side`, `jax_side`, `onnx_side`)
computes it in one library, each in a process of its own (`worker`). A `contest` holds
several of them against each other: first on their numbers, then on the clock, taking
turns. `rows`, `sweep` and `curves` are lists of contests, `fresh` times what only a
new process can show, `record` keeps what was measured, `report` and `plots` show it.
"""
