// The parameters as heat maps, one at a time.

import { diverging } from "./colour.js";
import { make, offer, say } from "./dom.js";
import { Heat } from "./heat.js";
import { short } from "./numbers.js";

export class Weights {
  /** @param ask takes a message */
  constructor(ask) {
    this.ask = ask;
    this.id = 0;
    this.select = make("select", { id: "weights-name", on: { change: () => this.look() } });
    this.canvas = make("canvas", { class: "weights", role: "img", "aria-label": "Weights" });
    this.facts = make("p", { class: "note" });
    this.readout = make("output", { class: "readout" });
    this.heat = new Heat(this.canvas, (value) => diverging(value / this.most), (at) => this.point(at));
    this.element = make(
      "section",
      {},
      make("div", { class: "head" }, make("h3", {}, "Weights"), make("label", { for: "weights-name", class: "unseen" }, "Parameter"), this.select),
      this.canvas,
      make("div", { class: "under" }, this.facts, this.readout),
    );
  }

  hello({ parameters }) {
    offer(this.select, parameters.map(({ name, shape }) => [name, `${name}  ${shape.join(" × ")}`]));
    this.look();
  }

  look() {
    if (!this.select.value) return;
    this.id += 1;
    this.ask({ do: "weights", id: this.id, name: this.select.value });
  }

  weighed(message) {
    if (message.id !== this.id) return;
    const { name, rows, columns, values, low, high } = message;
    this.shown = message;
    this.most = Math.max(Math.abs(low), Math.abs(high)) || 1;
    this.heat.show(values.length, values[0].length, (row, column) => values[row][column]);
    const height = Math.min(320, Math.max(24, values.length * 4));
    this.canvas.style.blockSize = `${height}px`;
    this.canvas.style.maxInlineSize = `${Math.max(160, values[0].length * 10)}px`;
    const facts = `${rows} × ${columns}, from ${short(low)} to ${short(high)}`;
    say(this.facts, `${facts}; the strongest colour is ${short(this.most)}`);
    this.canvas.setAttribute("aria-label", `${name}: ${facts}`);
  }

  point(at) {
    if (!at || !this.shown) {
      say(this.readout, "");
      return;
    }
    const { rows, columns, values } = this.shown;
    const block = (index, count, whole) => {
      const from = Math.floor((index * whole) / count);
      const to = Math.max(from, Math.floor(((index + 1) * whole) / count) - 1);
      return from === to ? `${from}` : `${from}–${to}`;
    };
    const place = `row ${block(at.row, values.length, rows)}, column ${block(at.column, values[0].length, columns)}`;
    say(this.readout, `${place}: ${short(values[at.row][at.column])}`);
  }
}
