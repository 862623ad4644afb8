// The page: its parts, and which message goes to which.

import { Chart } from "./chart.js";
import { Curve } from "./curve.js";
import { byId } from "./dom.js";
import { Files } from "./files.js";
import { Form } from "./form.js";
import { Inside } from "./inside.js";
import { Prompt } from "./prompt.js";
import { Race } from "./race.js";
import { Samples } from "./samples.js";
import { Slider } from "./slider.js";
import { Line } from "./socket.js";
import { Status } from "./status.js";
import { Text } from "./text.js";
import { themed } from "./theme.js";

const SUGGESTED = 320;

let line = null;
const send = (message) => line.send(message);

const curve = new Curve();
const chart = new Chart(byId("chart"), byId("readout"), curve);
const form = new Form();
const text = new Text();
const samples = new Samples(curve);
const status = new Status({
  learn,
  pause: () => send({ do: "pause" }),
  resume: () => send({ do: "resume" }),
  step: () => send({ do: "step" }),
});
const inside = new Inside(byId("inside"), send);
const prompt = new Prompt(send);
const race = new Race((settings) => {
  form.fill(settings);
  learn(settings);
});
const rate = new Slider(byId("rate"), {
  label: "Learning rate",
  low: 1e-5,
  high: 1e-1,
  hint: "acts on the next update",
  change: (value) => send({ do: "rate", value }),
});
const temperature = new Slider(byId("temperature"), {
  label: "Temperature",
  low: 0.1,
  high: 10 ** 1.05,
  hint: "low plays safe, high takes risks",
  change: (value) => send({ do: "temperature", value }),
});
new Files(text, () => send({ do: "begin" }));
themed(byId("theme"));

const parts = [status, form, samples, inside, prompt, race];

async function learn(settings = form.settings()) {
  status.error(null);
  try {
    await text.sent();
  } catch (error) {
    status.error(`The text was not taken: ${error.message}`);
    return;
  }
  if (send({ do: "learn", settings })) form.settle();
}

function each(name, message) {
  for (const part of parts) part[name]?.(message);
}

function now(message) {
  curve.take(message);
  chart.grow();
  rate.follow(message.rate);
  temperature.follow(message.temperature);
  each("now", message);
  hold(message);
}

/** The text that is learnt, and its beginning as one to look at. */
async function hold(message) {
  await text.hold(message.text);
  inside.suggest(text.held.slice(0, SUGGESTED));
}

const receivers = {
  hello(message) {
    each("hello", message);
    hold(message);
  },
  now,
  letters: (message) => each("letters", message),
  looked: (message) => each("looked", message),
  weighed: (message) => each("weighed", message),
  refused(message) {
    each("refused", message);
    if (!["look", "weights", "continue"].includes(message.do)) status.error(message.message);
  },
};

line = new Line(
  (message) => receivers[message.type]?.(message),
  (stands) => each("connection", stands),
);

byId("unit").addEventListener("change", ({ target }) => {
  chart.set({ unit: target.value });
  samples.setUnit(target.value);
  status.setUnit(target.value);
});
byId("log").addEventListener("change", ({ target }) => chart.set({ log: target.checked }));
byId("raw").addEventListener("change", ({ target }) => chart.set({ raw: target.checked }));
