// Runs the original RecurrentJS and writes what it computes to recurrentjs.json:
//
//     node make_recurrentjs.js path/to/recurrentjs/src/recurrent.js
//
// karpathy/recurrentjs, src/recurrent.js at commit 3e62bba15db6dbbc83514bfcbf6cb49f0b4fe2ec.
// Matrices are {n, d, w, dw} with w and dw row by row. Inputs come from a small
// generator in integers, so that a second run writes the same file.
"use strict";
const fs = require("fs");
const path = require("path");
const vm = require("vm");

const R = vm.runInNewContext(fs.readFileSync(process.argv[2], "utf8") + "; R;", { Math });

let state = 1;
// A number in [-1, 1): 16 bits of a linear congruential generator.
function draw() {
  state = (state * 75 + 74) % 65537;
  return state / 32768.5 - 1;
}
Math.random = () => (draw() + 1) / 2; // initLSTM and initRNN draw from here

function filled(n, d) {
  const m = new R.Mat(n, d);
  for (let i = 0; i < n * d; i++) m.w[i] = draw();
  return m;
}
const seed = (m) => { for (let i = 0; i < m.w.length; i++) m.dw[i] = draw(); };
const dump = (m) => ({ n: m.n, d: m.d, w: Array.from(m.w), dw: Array.from(m.dw) });
const dumpAll = (ms) => Object.fromEntries(Object.entries(ms).map(([k, m]) => [k, dump(m)]));
// Without the gradients: a copy from before backward.
const values = (ms) =>
  Object.fromEntries(Object.entries(ms).map(([k, m]) => [k, { n: m.n, d: m.d, w: Array.from(m.w) }]));

function op(name, inputs, ...rest) {
  const G = new R.Graph();
  const out = G[name](...inputs, ...rest);
  seed(out);
  G.backward();
  return { op: name, arguments: rest, inputs: inputs.map(dump), out: dump(out) };
}

function ops() {
  const kinks = filled(3, 2);
  kinks.w[0] = 0;
  kinks.w[3] = 0;
  const shared = filled(2, 2);
  return [
    op("rowPluck", [filled(4, 3)], 2),
    op("tanh", [filled(3, 2)]),
    op("sigmoid", [filled(3, 2)]),
    op("relu", [kinks]),
    op("mul", [filled(3, 4), filled(4, 2)]),
    op("add", [filled(3, 2), filled(3, 2)]),
    op("eltmul", [filled(3, 2), filled(3, 2)]),
    op("eltmul", [shared, shared]),
  ];
}

function softmax() {
  const m = filled(5, 1);
  return { in: dump(m), out: dump(R.softmax(m)), maxi: R.maxi(m.w) };
}

function ticks(init, forward) {
  const sizes = [3, 2];
  const model = init(2, sizes, 2);
  for (const m of Object.values(model)) for (let i = 0; i < m.w.length; i++) m.w[i] = draw();
  const weights = values(model);
  const G = new R.Graph();
  const xs = [filled(2, 1), filled(2, 1), filled(2, 1)];
  let prev = {};
  const outs = [];
  for (const x of xs) {
    prev = forward(G, model, sizes, x, prev);
    seed(prev.o);
    outs.push(prev.o);
  }
  const seeds = outs.map((m) => Array.from(m.dw));
  const last = { h: prev.h.map((m) => Array.from(m.w)), c: (prev.c || []).map((m) => Array.from(m.w)) };
  G.backward();
  return { hidden_sizes: sizes, weights, seeds, last, model: dumpAll(model), xs: xs.map(dump), outs: outs.map(dump) };
}

function solver() {
  const model = { W: filled(2, 2), b: filled(2, 1) };
  const before = values(model);
  const s = new R.Solver();
  const after = {};
  for (let step = 1; step <= 100; step++) {
    for (const m of Object.values(model)) {
      // Small integers and, at step 10, an outlier: exact in binary.
      for (let i = 0; i < m.w.length; i++) {
        m.dw[i] = ((step * 7 + i * 13) % 11 - 5) * (step === 10 ? 200 : 0.5);
      }
    }
    const stats = s.step(model, 0.01, 0.001, 2.0);
    if ([1, 2, 10, 11, 100].includes(step)) {
      after[step] = { ratio_clipped: stats.ratio_clipped, model: values(model) };
    }
  }
  return { step_size: 0.01, regc: 0.001, clipval: 2.0, before, after, step_cache: values(s.step_cache) };
}

// The document of the demo's "save model" button (character_demo.html, saveModel),
// and what the original computes with it.
function saved(generator) {
  const letters = ["b", "a", " ", "é"];
  const symbols = letters.length + 1;
  const hidden_sizes = [3, 2];
  const init = generator === "rnn" ? R.initRNN : R.initLSTM;
  const forward = generator === "rnn" ? R.forwardRNN : R.forwardLSTM;
  const model = { Wil: filled(symbols, 2), ...init(2, hidden_sizes, symbols) };
  const s = new R.Solver();
  const sentence = [0, 1, 2, 4];
  for (let epoch = 0; epoch < 3; epoch++) {
    const G = new R.Graph();
    let prev = {};
    for (const ix of sentence) {
      prev = forward(G, model, hidden_sizes, G.rowPluck(model.Wil, ix), prev);
      seed(prev.o);
    }
    G.backward();
    s.step(model, 0.05, 1e-6, 5.0);
  }
  const G = new R.Graph(false);
  let prev = {};
  const logits = sentence.map((ix) => {
    prev = forward(G, model, hidden_sizes, G.rowPluck(model.Wil, ix), prev);
    return Array.from(prev.o.w);
  });
  const json = (ms) => Object.fromEntries(Object.entries(ms).map(([k, m]) => [k, m.toJSON()]));
  return {
    sentence,
    logits,
    document: {
      hidden_sizes,
      generator,
      letter_size: 2,
      model: json(model),
      solver: { decay_rate: s.decay_rate, smooth_eps: s.smooth_eps, step_cache: json(s.step_cache) },
      letterToIndex: Object.fromEntries(letters.map((c, i) => [c, i + 1])),
      indexToLetter: Object.fromEntries(letters.map((c, i) => [i + 1, c])),
      vocab: letters,
    },
  };
}

const golden = {
  source: "karpathy/recurrentjs 3e62bba15db6dbbc83514bfcbf6cb49f0b4fe2ec, run by make_recurrentjs.js",
  ops: ops(),
  softmax: softmax(),
  lstm: ticks(R.initLSTM, R.forwardLSTM),
  rnn: ticks(R.initRNN, R.forwardRNN),
  solver: solver(),
  saved: { lstm: saved("lstm"), rnn: saved("rnn") },
};
fs.writeFileSync(path.join(__dirname, "recurrentjs.json"), JSON.stringify(golden) + "\n");
