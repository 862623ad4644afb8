// Gated feedback: which layer listens to which, at the symbol and over the text.

import { css, inkOn, rising } from "./colour.js";
import { make } from "./dom.js";
import { Heat } from "./heat.js";

export class Gates {
  /** @param moved called with the symbol that the pointer is on */
  constructor(moved) {
    this.table = make("table", {});
    this.canvas = make("canvas", { class: "strip", role: "img", "aria-label": "Feedback gates over the text" });
    this.labels = make("ol", { class: "strip-labels" });
    this.heat = new Heat(this.canvas, rising, (at) => at && moved(at.column));
    this.element = make(
      "section",
      { class: "gates", hidden: true },
      make("h3", {}, "Which layer listens to which"),
      make(
        "p",
        { class: "note" },
        "The feedback gates: 0 is deaf, 1 hears everything the other layer knew one step before. " +
          "At the symbol, and over the text.",
      ),
      make(
        "div",
        { class: "gates-grid" },
        make(
          "div",
          { class: "scrolling", tabindex: "0", role: "region", "aria-label": "Feedback gates at the symbol" },
          this.table,
        ),
        make("div", { class: "strips" }, this.labels, this.canvas),
      ),
    );
  }

  show({ gates, text }) {
    this.element.hidden = !gates;
    this.gates = gates;
    if (!gates) return;
    const layers = gates[0].length;
    const pairs = Array.from({ length: layers ** 2 }, (_, k) => [Math.floor(k / layers), k % layers]);
    this.labels.replaceChildren(
      ...pairs.map(([into, from]) => make("li", {}, `${into} hears ${from}`)),
    );
    this.canvas.style.blockSize = `${pairs.length * 1.5}rem`;
    this.canvas.setAttribute(
      "aria-label",
      `Gates between ${layers} layers over ${text.length} symbols`,
    );
    this.heat.show(pairs.length, text.length, (row, column) => {
      const [into, from] = pairs[row];
      return gates[column][into][from];
    });
  }

  mark(symbol) {
    if (!this.gates) return;
    this.heat.mark(null, symbol);
    const matrix = this.gates[symbol];
    const layers = matrix.map((_, k) => k);
    this.table.replaceChildren(
      make("caption", { class: "unseen" }, "Feedback gates at the symbol"),
      make("tr", {}, make("td"), ...layers.map((k) => make("th", { scope: "col" }, `from ${k}`))),
      ...matrix.map((row, into) =>
        make("tr", {}, make("th", { scope: "row" }, `layer ${into}`), ...row.map(cell)),
      ),
    );
  }
}

function cell(value) {
  const colour = rising(value);
  const td = make("td", { class: "gate" }, value.toFixed(2));
  td.style.backgroundColor = css(colour);
  td.style.color = inkOn(colour);
  return td;
}
