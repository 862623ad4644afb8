"""Wrong calls of ops and graphs: call | exception | words of its message.

A call is an expression over the names of `wrong_world.World`. An exception that is not
the library's own is Python's: it refuses the call before we see it.
"""

# Shapes that do not fit.
SHAPES = """
a @ c | ShapeError | matmul left 2x3 right 2
a @ 2.0 | ShapeError | matmul 2x3
a @ ones((2, 3)) | ShapeError | matmul 2x3 2
ones((2, 2)) @ b | ShapeError | matmul 2x2 3
a + b | ShapeError | add 2x3 3x2
a - b | ShapeError | sub 2x3 3x2
a * b | ShapeError | mul 2x3 3x2
a / b | ShapeError | div 2x3 3x2
g.add(a, c, b) | ShapeError | add 2x3 3x2
a + ones((2, 2)) | ShapeError | add 2x3 2x2
empty + b | ShapeError | add 0x3 3x2
a.maximum(scalar) | ShapeError | maximum 2x3 1x1
a.minimum(scalar) | ShapeError | minimum 2x3 1x1
g.where(b, a, c) | ShapeError | where 2x3 3x2
g.where(a, c, scalar) | ShapeError | where 2x3 1x1
g.concat(a, b) | ShapeError | concat 3 3x2
g.concat_columns(a, b) | ShapeError | concat_columns 2 3x2
a.reshape(4, 2) | ShapeError | reshape 2x3 4x2
a.layer_norm(b, ones((2, 1))) | ShapeError | layer_norm gain 2x1 3x2
a.layer_norm(ones((2, 1)), b) | ShapeError | layer_norm bias 2x1 3x2
a.squared_error(b) | ShapeError | squared_error 2x3 3x2
a.squared_error(scalar) | ShapeError | squared_error 2x3 1x1
a.absolute_error(b) | ShapeError | absolute_error 2x3 3x2
a.huber(b) | ShapeError | huber 2x3 3x2
a.binary_cross_entropy(b) | ShapeError | binary_cross_entropy 2x3 3x2
empty.mean() | ShapeError | mean 0x3
empty.mean(axis=0) | ShapeError | mean 0x3
empty.max(axis=0) | ShapeError | max 0x3
empty.logsumexp() | ShapeError | logsumexp 0x3
empty.squared_error(empty) | ShapeError | squared_error 0x3
empty.binary_cross_entropy(empty) | ShapeError | binary_cross_entropy 0x3
g.tanh(ones((2, 2, 2))) | ShapeError | tanh 3
a + ones((2, 3, 1)) | ShapeError | add 3
a + [[1.0, 2.0], [3.0]] | ShapeError | add
"""

# Attributes out of their domain or of the wrong type.
ARGUMENTS = """
g.add() | ArgumentError | add one
g.concat() | ArgumentError | concat one
g.concat_columns() | ArgumentError | concat_columns one
a.sum(axis=2) | ArgumentError | sum axis 0 1 2
a.sum(axis=-1) | ArgumentError | sum axis 0 1 -1
a.mean(axis=2) | ArgumentError | mean axis 2
a.max(axis=2) | ArgumentError | max axis 2
a.max(axis=None) | ArgumentError | max axis None
a.max() | TypeError | axis
a.sum(axis="rows") | ArgumentTypeError | sum axis str
a.sum(axis=True) | ArgumentTypeError | sum axis bool
a.clip(1.0, -1.0) | ArgumentError | clip low high 1 -1
a.clip(NAN, 1.0) | ArgumentError | clip low NaN
a.clip("0", 1.0) | ArgumentTypeError | clip low number str
a.clip() | TypeError | low
a.dropout(1.0, 1) | ArgumentError | dropout rate 1
a.dropout(-0.1, 1) | ArgumentError | dropout rate -0.1
a.dropout(NAN, 1) | ArgumentError | dropout rate NaN
a.dropout(0.5, -1) | ArgumentError | dropout seed -1
a.dropout(0.5, 2**64) | ArgumentError | dropout seed 18446744073709551616
a.dropout(0.5, 1.5) | ArgumentTypeError | dropout seed integer float
a.dropout(0.5, 1, -3) | ArgumentError | dropout step -3
a.dropout(0.5) | TypeError | seed
a.huber(c, 0.0) | ArgumentError | huber delta 0
a.huber(c, delta=-1.0) | ArgumentError | huber delta -1
a.huber(c, NAN) | ArgumentError | huber delta NaN
a.layer_norm(ones((2, 1)), ones((2, 1)), -1.0) | ArgumentError | layer_norm eps -1
a.scale("2") | ArgumentTypeError | scale factor number str
g.pow(a, c) | ArgumentTypeError | pow exponent number Matrix
a.binary_cross_entropy(chance) | ArgumentError | binary_cross_entropy target 1.5
a.reshape(-1, 6) | ArgumentError | reshape rows -1
a.reshape(1.5, 4) | ArgumentTypeError | reshape rows integer float
g.no_such_op(a) | AttributeError | no_such_op
a.tanh(slope=1.0) | TypeError | tanh keyword
"""

# Indices that point at nothing, and what is no index.
INDICES = """
a.slice_rows(0, 3) | OutOfRangeError | slice_rows rows 2 3
a.slice_rows(2, 1) | OutOfRangeError | slice_rows rows 2 1
a.slice_rows(-1, 1) | OutOfRangeError | slice_rows start -1
a.slice_rows(0.0, 1) | ArgumentTypeError | slice_rows start integer float
a.slice_columns(1, 4) | OutOfRangeError | slice_columns 3 4
a.slice_columns(3, 2) | OutOfRangeError | slice_columns 3 2
a.slice_columns(0, -1) | OutOfRangeError | slice_columns stop -1
a.select_rows([0, 2]) | OutOfRangeError | select_rows 2
a.select_rows([-1]) | OutOfRangeError | select_rows indices -1
a.select_rows([0.0]) | DTypeError | select_rows indices integers float64
a.select_rows(["0"]) | DTypeError | select_rows indices integers
a.select_columns([3]) | OutOfRangeError | select_columns 3
a.select_columns([1, -2]) | OutOfRangeError | select_columns indices -2
a.select_columns([True, False]) | DTypeError | select_columns indices integers bool
a.softmax_cross_entropy([0, 2, 1]) | OutOfRangeError | softmax_cross_entropy target 2
a.softmax_cross_entropy([0, -1, 1]) | OutOfRangeError | softmax_cross_entropy targets -1
a.softmax_cross_entropy([0, 1]) | ShapeError | softmax_cross_entropy targets 3 2
a.softmax_cross_entropy([0] * 4) | ShapeError | softmax_cross_entropy targets 3 4
a.softmax_cross_entropy([1.0] * 3) | DTypeError | softmax_cross_entropy targets float64
a.softmax_cross_entropy([0, 1, 0], [1, 1]) | ShapeError | softmax_cross_entropy mask 3 2
a.softmax_cross_entropy([0] * 3, [0] * 3) | ArgumentError | softmax_cross_entropy mask
a.softmax_cross_entropy([0] * 3, [0.5] * 3) | ArgumentError | entropy mask 0.5
g.softmax_cross_entropy(ones((3, 0)), []) | ShapeError | softmax_cross_entropy one 3x0
"""

# Element types that are mixed or no numbers.
KINDS = """
single @ b | DTypeError | matmul float32 float64
a + single | DTypeError | add float32 float64
g.concat(a, single) | DTypeError | concat float32 float64
g.where(a, c, single) | DTypeError | where float32 float64
a.squared_error(single) | DTypeError | squared_error float32 float64
g.tanh("abc") | DTypeError | tanh real numbers
g.tanh(None) | DTypeError | tanh real numbers object
g.tanh(np.ones((2, 2), complex)) | DTypeError | tanh complex128
g.tanh(np.array([[object()]])) | DTypeError | tanh object
g.tanh(np.zeros((1, 1), "M8[s]")) | DTypeError | tanh datetime64
a * None | TypeError |
"abc" + a | TypeError |
g.matmul(a, {}) | DTypeError | matmul
"""

# Graphs and their matrices in the wrong state.
GRAPHS = """
g.tanh(foreign) | GraphError | tanh graph
g.add(a, foreign) | GraphError | add graph
g.matmul(foreign, b) | GraphError | matmul graph
g.concat(node, foreign) | GraphError | concat graph
done.tanh(a) | GraphError | tanh backward
done.backward() | GraphError | backward
g.backward(node) | ShapeError | backward loss 1x1 2x3
other.backward(loss) | GraphError | backward loss
g.backward(scalar) | GraphError | backward loss
g.backward(2.0) | TypeError | loss
off.backward() | GraphError | backward record
retained.backward() | GraphError | backward zero_grad
setattr(g, "recording", False) | AttributeError |
"""
