"""Wrong calls of everything but ops: call | exception | words of its message.

As in `wrong_ops.py`.
"""

MATRICES = """
Matrix("text") | DTypeError | Matrix data real numbers
Matrix(None) | DTypeError | Matrix data real numbers
Matrix([["1"]]) | DTypeError | Matrix data real numbers
Matrix(ones((2, 2), complex)) | DTypeError | Matrix data complex128
Matrix(ones((2, 2), object)) | DTypeError | Matrix data object
Matrix(ones((2, 2, 2))) | ShapeError | Matrix data dimensions 3
Matrix([[1.0], [1.0, 2.0]]) | ShapeError | Matrix data
Matrix([[1.0]], dtype="int32") | DTypeError | dtype float32 float64 int32
Matrix([[1.0]], dtype="float16") | DTypeError | dtype float32 float64 float16
Matrix([[1.0]], dtype="no such") | DTypeError | dtype float32 float64 such
Matrix() | TypeError | data
Matrix.zeros(-1, 2) | ArgumentError | zeros rows -1
Matrix.zeros(2, -1) | ArgumentError | zeros cols -1
Matrix.zeros(1.5, 2) | ArgumentTypeError | zeros rows integer float
Matrix.zeros("2", 2) | ArgumentTypeError | zeros rows integer str
Matrix.zeros(2**40, 2**40) | ArgumentError | zeros rows 1099511627776
Matrix.zeros(2**62, 2**62) | ArgumentError | zeros rows
Matrix.zeros(2**100, 1) | ArgumentError | zeros rows
Matrix.zeros(1, 1, dtype="int8") | DTypeError | dtype float32 float64 int8
Matrix.ones(-1, 1) | ArgumentError | ones rows -1
Matrix.ones(2) | TypeError | cols
Matrix.uniform(2, 2, 1.0, 0.0) | ArgumentError | uniform low high 1 0
Matrix.uniform(2, 2, NAN, 1.0) | ArgumentError | uniform low NaN
Matrix.uniform(2, 2, 0.0, INF) | ArgumentError | uniform high inf
Matrix.uniform(2, 2, seed=-1) | ArgumentError | uniform seed -1
Matrix.uniform(2, 2, seed=2**64) | ArgumentError | uniform seed 18446744073709551616
Matrix.uniform(2, 2, seed="a") | ArgumentTypeError | uniform seed integer str
Matrix.normal(2, 2, std=-1.0) | ArgumentError | normal std -1
Matrix.normal(2, 2, mean=NAN) | ArgumentError | normal mean NaN
Matrix.normal(2, 2, std=INF) | ArgumentError | normal std inf
permutation(-1) | ArgumentError | permutation length -1
setattr(a, "value", ones((3, 2))) | ShapeError | value 2x3 3 2
setattr(a, "value", ones((2, 3, 1))) | ShapeError | value dimensions 3
setattr(a, "value", "text") | DTypeError | value real numbers
setattr(a, "value", ones((2, 3), complex)) | DTypeError | value complex128
setattr(a, "grad", ones((1, 3))) | ShapeError | grad 2x3 1 3
setattr(a, "grad", None) | DTypeError | grad real numbers
setattr(a, "rows", 3) | AttributeError |
setattr(a, "no_such", 3) | AttributeError | no_such
a.item() | ShapeError | item 1x1 2x3
float(a) | ShapeError | 1x1 2x3
bool(scalar) | TypeError |
len(a) | TypeError |
iter(a) | TypeError |
a[0, 0] | TypeError |
"""

MODELS = """
Model("perceptron", 3, [4], 2) | ArgumentError | Model cell lstm perceptron
Model(None, 3, [4], 2) | ArgumentTypeError | Model cell NoneType
LSTM(0, [4], 2) | ArgumentError | Model input_size 1 0
LSTM(-3, [4], 2) | ArgumentError | Model input_size -3
LSTM(3.0, [4], 2) | ArgumentTypeError | Model input_size integer float
LSTM(3, [], 2) | ArgumentError | Model hidden_sizes 0
LSTM(3, 0, 2) | ArgumentError | Model hidden_sizes 0
LSTM(3, [4, 0], 2) | ArgumentError | Model hidden_sizes 0
LSTM(3, [4, -1], 2) | ArgumentError | Model hidden_sizes -1
LSTM(3, [4, 2.5], 2) | ArgumentTypeError | Model hidden_sizes integer float
LSTM(3, "44", 2) | ArgumentTypeError | Model hidden_sizes str
LSTM(3, None, 2) | ArgumentTypeError | Model hidden_sizes
LSTM(3, [4], 0) | ArgumentError | Model output_size 0
LSTM(3, [4], "2") | ArgumentTypeError | Model output_size integer str
LSTM(3, [4]) | TypeError | output_size
LSTM(3, [4], 2, embedding_size=0) | ArgumentError | Model embedding_size 0
LSTM(3, [4], 2, seed=-1) | ArgumentError | Model seed -1
LSTM(3, [4], 2, seed=0.5) | ArgumentTypeError | Model seed integer float
LSTM(3, [4], 2, dtype="int32") | DTypeError | dtype float32 float64 int32
LSTM(3, [4], 2, init="zeros") | ArgumentError | Model init glorot zeros
LSTM(3, [4], 2, std=-0.1) | ArgumentError | Model std -0.1
LSTM(3, [4], 2, std=NAN) | ArgumentError | Model std NaN
LSTM(3, [4], 2, forget_bias=INF) | ArgumentError | Model forget_bias inf
LSTM(3, [4], 2, no_such=1) | TypeError | no_such
LSTM(10**9, [10**9], 2) | ArgumentError | Model input_size 1000000000
RNN(3, [4], 2, activation="sine") | ArgumentError | activation tanh relu sine
RNN(3, [4], 2, slope_at_zero=1.0) | ArgumentError | Model slope_at_zero rnn
RNN(3, [4], 2, activation="relu", slope_at_zero=NAN) | ArgumentError | slope_at_zero
GRU(3, [4], 2, reset="never") | ArgumentError | Model reset after before never
GFGRU(3, [4], 2, gate="matrix") | ArgumentError | Model gate scalar vector matrix
Model("lstm", 3, [4], 2, activation="relu") | ArgumentError | Model activation lstm
Model("lstm", 3, [4], 2, reset="before") | ArgumentError | Model reset lstm
Model("gru", 3, [4], 2, gate="vector") | ArgumentError | Model gate gru
Model("rnn", 3, [4], 2, all_to_gates=True) | ArgumentError | Model all_to_gates rnn
Model("gru", 3, [4], 2, paper=True) | ArgumentError | Model paper gru
Model("lstm", 3, [4], 2, input_to_all=2) | ArgumentTypeError | Model input_to_all int
lstm["no.such"] | KeyError | no.such
lstm[0] | TypeError |
setattr(lstm, "hidden_sizes", (3,)) | AttributeError |
"""

FORWARD = """
lstm.forward(g, ones((4, 2))) | ShapeError | forward x 3 4x2
lstm.forward(g, single_x) | DTypeError | forward x float64 float32
lstm.forward(g, ones((3, 2, 1))) | ShapeError | forward x dimensions 3
lstm.forward(g, "abc") | DTypeError | forward x real numbers
lstm.forward(g, foreign_x) | GraphError | graph
lstm.forward(a, x) | TypeError | graph
lstm.forward(x) | TypeError | x
lstm.forward(g, [3]) | OutOfRangeError | forward x 3
lstm.forward(g, -1) | OutOfRangeError | forward x -1
lstm.forward(g, x, 3) | ArgumentTypeError | forward prev int
lstm.forward(g, x, feedback_tick) | ArgumentError | forward state cell
lstm.forward(g, ones((3, 1)), tick) | ShapeError | forward state 4x1 4x2
lstm.forward(g, x, small_tick) | ArgumentError | forward state 2 1
lstm.forward(g, x, open_tick) | GraphError | graph
feedback.forward(g, x, tick) | ArgumentError | forward state cell
gru.forward(g, [5]) | OutOfRangeError | forward x 5
gru.forward(g, [[0.5]]) | DTypeError | forward x symbols
gru.forward(g, x) | DTypeError | forward x symbols
done_forward() | GraphError | backward
"""

SEQUENCES = """
lstm(ones(3)) | ShapeError | x dimensions 1
lstm(ones((2, 2, 2, 3))) | ShapeError | x dimensions 4
lstm(ones((2, 4, 2))) | ShapeError | x 3 2
lstm(ones((2, 4, 3), complex)) | DTypeError | x complex128
lstm("text") | DTypeError | x real numbers
lstm(a) | ArgumentTypeError | forward x array Matrix
lstm([[0, 3]]) | OutOfRangeError | x 3
lstm([[0, -1]]) | OutOfRangeError | x -1
lstm(sequences, 3) | ArgumentTypeError | state int
lstm(sequences, State(state.hidden)) | ArgumentError | state cell
lstm(sequences, State(state.hidden[:1], state.cell[:1])) | ArgumentError | state 2 1
lstm(sequences[:1], state) | ShapeError | state 1 2
lstm(sequences, State(state.cell[::-1], state.cell)) | ShapeError | state 4 2
lstm(sequences, time_major="yes") | ArgumentTypeError | forward time_major str
gru([[0, 5]]) | OutOfRangeError | x 5
gru(ones((2, 4, 3))) | DTypeError | x symbols
gru(ones((2, 4))) | DTypeError | x symbols
feedback(sequences, state) | ArgumentError | state cell
"""

GENERATING = """
gru.generate([], 5) | ArgumentError | generate prime
gru.generate([5], 5) | OutOfRangeError | 5
gru.generate([-1], 5) | OutOfRangeError | generate prime -1
gru.generate([0.5], 5) | DTypeError | generate prime integers
gru.generate("ab", 5) | DTypeError | generate prime integers
gru.generate([0], -5) | ArgumentError | generate length -5
gru.generate([0], 2.5) | ArgumentTypeError | generate length integer float
gru.generate([0], 5, temperature=0.0) | ArgumentError | temperature 0
gru.generate([0], 5, temperature=-1.0) | ArgumentError | temperature -1
gru.generate([0], 5, temperature=NAN) | ArgumentError | temperature NaN
gru.generate([0], 5, temperature="hot") | ArgumentTypeError | temperature number str
gru.generate([0], 5, seed=-1) | ArgumentError | generate seed -1
gru.generate([0], 5, stop=-1) | OutOfRangeError | generate stop -1
gru.generate([0], 5, sampling=3) | ArgumentTypeError | generate sampling Sampling int
gru.generate([0], 5, greedy="yes") | ArgumentTypeError | generate greedy True str
gru.generate([0], 5, state=state) | ArgumentError | state
lstm.generate([0], 5) | ArgumentError | generate 5 3
feedback.generate([0], 5) | ArgumentError | generate 2 3
"""

FILES = """
lstm.save(folder / "none" / "x.safetensors") | FileNotFoundError | x.safetensors
lstm.save(folder) | OSError |
lstm.save(3) | TypeError |
lstm.save(folder / "x", {"format": "y"}) | ArgumentError | save metadata format
lstm.save(folder / "x", {"note": 3}) | TypeError |
load(folder / "none.safetensors") | FileNotFoundError | none.safetensors
load(folder) | OSError |
load(folder / "junk.safetensors") | FormatError |
load(folder / "empty.safetensors") | FormatError |
load(folder / "cut.safetensors") | FormatError |
CharModel.load(folder / "net.safetensors") | FormatError | load net.safetensors
"""

OPTIMIZERS = """
RMSProp(-0.1) | ArgumentError | RMSProp learning_rate -0.1
RMSProp(NAN) | ArgumentError | RMSProp learning_rate NaN
RMSProp(INF) | ArgumentError | RMSProp learning_rate inf
RMSProp("fast") | ArgumentTypeError | RMSProp learning_rate number str
RMSProp(decay_rate=1.0) | ArgumentError | RMSProp decay_rate 1
RMSProp(decay_rate=-0.1) | ArgumentError | RMSProp decay_rate -0.1
RMSProp(eps=-1e-8) | ArgumentError | RMSProp eps
RMSProp(weight_decay=-1.0) | ArgumentError | RMSProp weight_decay -1
RMSProp(clip_value=0.0) | ArgumentError | RMSProp clip_value 0
RMSProp(clip_value=-5.0) | ArgumentError | RMSProp clip_value -5
RMSProp(clip_norm=0.0) | ArgumentError | RMSProp clip_norm 0
RMSProp(clip_norm=NAN) | ArgumentError | RMSProp clip_norm NaN
RMSProp(decay_all="no") | ArgumentTypeError | RMSProp decay_all str
RMSProp(no_such=0.9) | ArgumentError | RMSProp no_such learning_rate clip_norm
RMSProp(momentum=1.0) | ArgumentError | RMSProp momentum 1
RMSProp(centered=1.0) | ArgumentTypeError | RMSProp centered float
RMSProp(groups=3) | ArgumentTypeError | RMSProp groups mapping int
RMSProp(groups={"w": 3}) | ArgumentTypeError | RMSProp groups w mapping int
RMSProp(groups={3: {}}) | ArgumentTypeError | RMSProp groups mapping
RMSProp(groups={"w": {"eps": -1}}) | ArgumentError | RMSProp eps -1
RMSProp(groups={"w": {"eps": "x"}}) | ArgumentTypeError | RMSProp eps str
RMSProp(groups={"w": {"beta1": 0.5}}) | ArgumentError | RMSProp beta1 decay_rate
RMSProp(groups={"w": {"clip_norm": 1}}) | ArgumentError | RMSProp clip_norm w
Optimizer("adamax") | ArgumentError | Optimizer rule adamax adamw
Optimizer("solver") | ArgumentError | Optimizer rule solver
Optimizer("sgd", beta1=0.5) | ArgumentError | SGD beta1 momentum
SGD(nesterov=True) | ArgumentError | SGD nesterov momentum
SGD(momentum=0.9, dampening=0.1, nesterov=True) | ArgumentError | SGD nesterov dampening
SGD(dampening=1.0) | ArgumentError | SGD dampening 1
Adagrad(rate_decay=-1.0) | ArgumentError | Adagrad rate_decay -1
Adagrad(initial_square=-1.0) | ArgumentError | Adagrad initial_square -1
Adam(beta1=1.0) | ArgumentError | Adam beta1 1
AdamW(beta2=-0.1) | ArgumentError | AdamW beta2 -0.1
NAdam(momentum_decay=NAN) | ArgumentError | NAdam momentum_decay NaN
Lion(beta2=1.0) | ArgumentError | Lion beta2 1
setattr(rmsprop, "learning_rate", -1.0) | ArgumentError | learning_rate -1
setattr(rmsprop, "learning_rate", None) | ArgumentTypeError | learning_rate NoneType
setattr(rmsprop, "decay_rate", 1.5) | ArgumentError | decay_rate 1.5
setattr(rmsprop, "clip_value", 0.0) | ArgumentError | clip_value 0
setattr(rmsprop, "clip_norm", -1.0) | ArgumentError | clip_norm -1
setattr(rmsprop, "clip_value", "5") | ArgumentTypeError | clip_value number str
setattr(rmsprop, "no_such", 0.9) | AttributeError | no_such
setattr(rmsprop, "rate_factor", -1.0) | ArgumentError | RMSProp rate_factor -1
setattr(rmsprop, "centered", 1.0) | ArgumentTypeError | RMSProp centered float
delattr(rmsprop, "eps") | AttributeError | delete
rmsprop.step(3) | ArgumentTypeError | RMSProp parameters int
rmsprop.step("weights") | ArgumentTypeError | RMSProp parameters str
rmsprop.step([a, 3]) | ArgumentTypeError | RMSProp parameters int
rmsprop.step({"w": ones((2, 3))}) | ArgumentTypeError | RMSProp parameters w ndarray
rmsprop.step([a, single]) | DTypeError | RMSProp float32 float64
rmsprop.step([a], passes=0) | ArgumentError | RMSProp passes 0
rmsprop.step([a], passes=1.5) | ArgumentTypeError | RMSProp passes float
rmsprop.step([a], passes=-1) | ArgumentError | RMSProp passes -1
rmsprop.state(3) | ArgumentTypeError | RMSProp parameters int
rmsprop.restore(3, {}) | ArgumentTypeError | RMSProp parameters int
rmsprop.restore([a], {}) | ArgumentError | RMSProp state optimizer nothing
Average(3) | ArgumentTypeError | ExponentialMovingAverage parameters int
Average([a], 1.0) | ArgumentError | ExponentialMovingAverage decay 1
Average([a], "slow") | ArgumentTypeError | ExponentialMovingAverage decay str
rmsprop.step(a) | ArgumentTypeError | RMSProp parameters Matrix
rmsprop.step({"w": c}) | GraphError | RMSProp w backward
rmsprop.step([a, bad]) | NonFiniteError | RMSProp gradient 1 NaN
rmsprop.step({"w": a, "v": bad}) | NonFiniteError | RMSProp gradient v NaN
solver.step({"v": bad}, 0.1, 0.0, 5.0) | NonFiniteError | Solver v NaN
solver.step([a], -0.1, 0.0, 5.0) | ArgumentError | learning_rate -0.1
solver.step([a], 0.1, -1.0, 5.0) | ArgumentError | weight_decay -1
solver.step([a], 0.1, 0.0, 0.0) | ArgumentError | clip_value 0
solver.step([a]) | TypeError | learning_rate
Solver(2.0) | ArgumentError | decay_rate 2
"""

TEXTS = """
Vocabulary("") | ArgumentError | Vocabulary symbols empty
Vocabulary("aba") | ArgumentError | Vocabulary symbols a
Vocabulary(["a", "bc"]) | ArgumentError | Vocabulary symbol bc
Vocabulary([1, 2]) | ArgumentTypeError | Vocabulary symbol string int
Vocabulary.from_text("") | ArgumentError | Vocabulary symbols empty
Vocabulary.from_text("\\n", boundary=True) | ArgumentError | Vocabulary symbols empty
Vocabulary.from_text(b"abc") | TypeError |
vocabulary.encode("abx") | VocabularyError | encode x 2
vocabulary.encode(3) | TypeError |
vocabulary.decode([4]) | OutOfRangeError | decode 4
vocabulary.decode([-1]) | OutOfRangeError | decode -1
vocabulary.decode([0.5]) | DTypeError | decode integers
CharModel.create("abc", cell="mlp") | ArgumentError | cell lstm mlp
CharModel.create("") | ArgumentError | empty
CharModel.create("abc", hidden_sizes=[0]) | ArgumentError | hidden_sizes 0
CharModel.create("abc", cell_options={"no_such": 1}) | ArgumentError | lstm no_such
CharModel.create("abc", cell_options=3) | ArgumentTypeError | cell_options mapping 3
CharModel.create("abc", lines=1) | ArgumentTypeError | CharModel lines bool 1
CharModel.create("abc", cell=3) | ArgumentTypeError | CharModel cell string 3
CharModel(3, vocabulary) | ArgumentTypeError | CharModel net Model 3
CharModel(lm.net, "abc") | ArgumentTypeError | CharModel vocabulary Vocabulary str
CharModel(lm.net, lm.vocabulary, steps=-1) | ArgumentError | CharModel steps 0 -1
CharModel(lm.net, lm.vocabulary, epochs=1.0) | ArgumentTypeError | epochs integer 1.0
CharModel(lstm, vocabulary) | ArgumentError | CharModel net 4 3
lm.learn("abx") | VocabularyError | x
lm.learn("") | ArgumentError | text
lm.learn("abc", batch_size=0) | ArgumentError | batch_size 0
lm.learn("abc", seq_length=0) | ArgumentError | seq_length 0
lm.learn("abc", epochs=-1) | ArgumentError | epochs -1
lm.learn("abc", report_every=0) | ArgumentError | report_every 0
lm.learn("abc", learning_rate=-1.0) | ArgumentError | learning_rate -1
lm.learn("abc", validation_fraction=1.0) | ArgumentError | validation_fraction 1
lm.learn("abc", steps=1.5) | ArgumentTypeError | learn steps integer 1.5
lm.learn("abc", batch_size=True) | ArgumentTypeError | learn batch_size integer True
lm.learn("abc", seed=-1) | ArgumentError | learn seed 0 -1
lm.learn("abc", seed=2**64) | ArgumentError | learn seed 18446744073709551616
lm.learn("abc", minutes="2") | ArgumentTypeError | learn minutes number str
lm.learn("abc", minutes=NAN) | ArgumentError | learn minutes nan
lm.learn("abc", clip_value=INF) | ArgumentError | learn clip_value inf
lm.learn("abc", callback=3) | ArgumentTypeError | learn callback callable 3
lm.learn("abc", progress=1) | ArgumentTypeError | learn progress bool 1
lm.learn("abc\\ncab", validation_fraction=0.4) | ArgumentError | hold 0.4 2 lines
lm.evaluate("abc", batch_size=1.5) | ArgumentTypeError | evaluate batch_size 1.5
lm.evaluate("abx") | VocabularyError | x
lm.evaluate("abc", batch_size=0) | ArgumentError | batch_size 0
lm.sample("x") | VocabularyError | x
lm.sample("a", length=-1) | ArgumentError | length -1
lm.sample("a", temperature=-1.0) | ArgumentError | temperature -1
gradcheck(lambda g: g.tanh(a), []) | ArgumentError | gradcheck matrices
gradcheck(lambda g: g.tanh(a), a) | ArgumentTypeError | gradcheck matrices Matrix
gradcheck(lambda g: g.tanh(a), [3]) | ArgumentTypeError | gradcheck matrix 0 int
gradcheck(lambda g: 3, [a]) | ArgumentTypeError | gradcheck result Matrix int
gradcheck(lambda g: a, [a]) | ArgumentError | gradcheck function graph
gradcheck(lambda g: g.tanh(a), [a], tolerance=NAN) | ArgumentError | tolerance nan
gradcheck(lambda g: g.tanh(a), [single]) | DTypeError | gradcheck float64 float32
gradcheck(lambda g: g.tanh(a), [a], step=-1.0) | ArgumentError | gradcheck step -1
"""
