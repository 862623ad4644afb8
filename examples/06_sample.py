"""Let a model write: prompts, temperatures, seeds."""

import recurrentnn as rnn
from recurrentnn import grammar

model = rnn.CharModel.train(
    grammar.text(1000), lines=True, hidden_sizes=[64], epochs=8, learning_rate=1e-2
)

print("most probable:", model.greedy())
print("after a prompt:", model.greedy("the old "))
for temperature in (0.3, 1.0, 2.0):
    print(f"temperature {temperature}:")
    for seed in range(3):
        print("   ", model.sample(temperature=temperature, seed=seed))
