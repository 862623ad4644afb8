// Inside the net: what its units do while it reads a text.

import { diverging, scaleOf } from "./colour.js";
import { make, offer, say } from "./dom.js";
import { Eye } from "./eye.js";
import { Gates } from "./gates.js";
import { Heat } from "./heat.js";
import { Reading } from "./reading.js";
import { Weights } from "./weights.js";

const PAUSE = 1500;

export class Inside {
  /**
   * @param place an empty section
   * @param ask takes the messages `look` and `weights`; says whether they went
   * @param live whether the net may change, and the text be another
   */
  constructor(place, ask, { live = true } = {}) {
    this.ask = ask;
    this.live = live;
    this.id = 0;
    this.asked = -Infinity;
    this.unit = 0;
    this.symbol = 0;
    this.build(place);
    document.addEventListener("themechange", () => this.choose(this.unit));
    if (!live) return;
    new IntersectionObserver((entries) => {
      this.seen = entries.at(-1).isIntersecting;
      this.refresh();
    }).observe(place);
    document.addEventListener("visibilitychange", () => this.refresh());
    this.follow.addEventListener("change", () => this.refresh());
  }

  build(place) {
    const again = () => this.look();
    this.layer = make("select", { id: "inside-layer", on: { change: () => this.chooseLayer() } });
    this.signal = make("select", { id: "inside-signal", on: { change: again } });
    this.box = make("input", {
      id: "inside-unit", type: "number", min: 0, step: 1, value: 0,
      on: { input: () => this.box.value !== "" && this.choose(Number(this.box.value)) },
    });
    this.follow = make("input", { type: "checkbox", id: "inside-follow", checked: true });
    this.text = make("textarea", {
      id: "inside-text", rows: 2, maxlength: 20000, spellcheck: "false",
      on: { input: () => (this.edited = true) },
    });
    this.note = make("p", { class: "note", role: "alert" });
    this.place = make("div", { class: "reading", id: "reading", "aria-label": "The text, coloured; arrow keys move along it and from unit to unit" });
    this.reading = new Reading(this.place, (k) => this.move(k), (by) => this.choose(this.unit + by));
    this.eye = new Eye((unit) => this.choose(unit));
    this.ends = [make("span", {}), make("span", {})];
    this.canvas = make("canvas", { class: "units", role: "img", "aria-label": "All units over the text" });
    this.units = make("span", { class: "note" });
    this.heat = new Heat(
      this.canvas,
      (value) => diverging(this.scale.of(value)),
      (at) => at && this.looked_ && this.point(at),
    );
    this.gates = new Gates((k) => this.move(k));
    this.weights = new Weights(this.ask);
    const named = (label, input) => make("label", {}, make("span", {}, label), input);
    const parts = [
      make(
        "header", {},
        make("h2", { id: "inside-title" }, "Inside the net"),
        make(
          "div", { class: "tools" },
          named("Layer", this.layer), named("Signal", this.signal), named("Unit", this.box),
          this.live && make("label", { class: "tick" }, this.follow, " follow the learning"),
        ),
      ),
      this.live && make(
        "form", { class: "look", on: { submit: (event) => (event.preventDefault(), this.lookAtAll()) } },
        make("label", { for: "inside-text" }, "A text for it to read"),
        make("div", { class: "row" }, this.text, make("button", { type: "submit", id: "look" }, "Look")),
      ),
      this.note,
      make(
        "div", { class: "inside-grid" },
        make(
          "div", { class: "reading-side" },
          this.place,
          make("p", { class: "scale", "aria-hidden": "true" }, this.ends[0], make("span", { class: "ramp" }), this.ends[1]),
          make("div", { class: "head" }, make("h3", {}, "All units over the text"), this.units),
          this.canvas,
        ),
        this.eye.element,
      ),
      this.gates.element,
      this.weights.element,
    ];
    place.append(...parts.filter(Boolean));
  }

  /** A net: its layers, their signals, its parameters. */
  hello(message) {
    this.layers = message.signals;
    offer(this.layer, this.layers.map((_, k) => [String(k), String(k)]));
    this.weights.hello(message);
    this.chooseLayer();
  }

  chooseLayer() {
    const signals = this.layers[Number(this.layer.value)] ?? [];
    offer(this.signal, signals.map(({ name }) => [name, name]));
    this.look();
  }

  /** A text to begin with, unless somebody has written another. */
  suggest(text) {
    if (this.edited || !text || text === this.text.value) return;
    this.text.value = text;
    this.look();
  }

  look(first = 0) {
    if (!this.layers || !this.signal.value || (this.live && !this.text.value)) return;
    this.id += 1;
    this.asked = performance.now();
    this.waiting = this.ask({
      do: "look",
      id: this.id,
      text: this.text.value,
      layer: Number(this.layer.value),
      signal: this.signal.value,
      first,
    });
  }

  now({ step }) {
    this.newest = step;
    this.refresh();
  }

  /** Looks again if the net has learnt since and somebody sees it, but not too often. */
  refresh() {
    if (this.newest === this.step || !this.follow.checked || !this.seen || document.hidden) return;
    const wait = this.waiting ? PAUSE : this.asked + PAUSE - performance.now();
    if (wait > 0) {
      this.timer ??= setTimeout(() => {
        this.timer = null;
        this.refresh();
      }, wait);
      return;
    }
    this.lookAtAll();
  }

  lookAtAll() {
    this.step = this.newest;
    this.look(this.looked_?.first ?? 0);
    this.weights.look();
  }

  looked(message) {
    if (message.id !== this.id) return;
    this.waiting = false;
    say(this.note, "");
    this.looked_ = message;
    const { signal, text, values, units, first = 0 } = message;
    this.scale = scaleOf(signal, values);
    say(this.ends[0], this.scale.low);
    say(this.ends[1], this.scale.high);
    this.box.max = units - 1;
    this.unit = Math.min(this.unit, units - 1);
    this.symbol = Math.min(this.symbol, text.length - 1);
    this.reading.show(text);
    this.gates.show(message);
    const rows = values[0].length;
    const part = rows < units ? `units ${first} to ${first + rows - 1} of ${units}` : `${units} units`;
    say(this.units, part);
    this.canvas.setAttribute("aria-label", `${signal} of ${part} over ${text.length} symbols`);
    this.canvas.style.blockSize = `${Math.max(40, Math.min(280, rows * 6))}px`;
    this.heat.show(rows, text.length, (row, column) => values[column][row]);
    this.choose(this.unit);
  }

  weighed(message) {
    this.weights.weighed(message);
  }

  refused(message) {
    if (message.do !== "look" || message.id !== this.id) return;
    this.waiting = false;
    say(this.note, message.message);
  }

  connection() {
    this.waiting = false;
  }

  point({ row, column }) {
    this.symbol = column;
    this.choose((this.looked_.first ?? 0) + row);
  }

  choose(unit) {
    const looked = this.looked_;
    if (!looked || !Number.isInteger(unit) || unit < 0 || unit >= looked.units) return;
    this.unit = unit;
    if (this.box.value !== String(unit)) this.box.value = unit;
    const { first = 0, values } = looked;
    const rows = values[0].length;
    if (unit < first || unit >= first + rows) {
      this.look(Math.floor(unit / rows) * rows);
      return;
    }
    this.reading.colour(values.map((row) => this.scale.of(row[unit - first])));
    this.move(this.symbol);
  }

  move(symbol) {
    if (!this.looked_) return;
    this.symbol = symbol;
    const { first = 0 } = this.looked_;
    this.reading.mark(symbol);
    this.heat.mark(this.unit - first, symbol);
    this.gates.mark(symbol);
    this.eye.show(this.looked_, symbol, this.unit, this.scale.of);
  }
}
