// A text whose letters have the colour of what a unit does while the net reads them.

import { css, diverging, inkOn } from "./colour.js";
import { make } from "./dom.js";

export class Reading {
  /**
   * @param place the element of the text, which takes the keyboard
   * @param moved called with the number of the symbol that is looked at
   * @param turned called with -1 or 1: the unit before or after
   */
  constructor(place, moved, turned) {
    this.place = place;
    this.moved = moved;
    this.turned = turned;
    this.spans = [];
    this.index = new WeakMap();
    place.setAttribute("role", "listbox");
    place.tabIndex = 0;
    place.addEventListener("pointerover", ({ target }) => {
      if (this.index.has(target)) moved(this.index.get(target));
    });
    place.addEventListener("keydown", (event) => this.key(event));
  }

  /** Other symbols; the elements are kept where they can be. */
  show(symbols) {
    if (symbols.length === this.spans.length && symbols.every((s, k) => s === this.symbols[k])) {
      return;
    }
    this.symbols = symbols;
    this.spans = symbols.map((symbol, k) => {
      // The first symbol of a net of lines is what begins one.
      const shown = symbol === "\n" ? (k ? "↵\n" : "↵") : symbol;
      const span = make("span", { id: `${this.place.id}-${k}`, role: "option" }, shown);
      this.index.set(span, k);
      return span;
    });
    this.place.replaceChildren(...this.spans);
  }

  /** Colours from -1 to 1, one for each symbol. */
  colour(values) {
    this.spans.forEach((span, k) => {
      const colour = diverging(values[k]);
      span.style.backgroundColor = css(colour);
      span.style.color = inkOn(colour);
    });
  }

  mark(symbol) {
    this.marked?.removeAttribute("aria-selected");
    this.marked = this.spans[symbol];
    this.symbol = symbol;
    if (!this.marked) return;
    this.marked.setAttribute("aria-selected", "true");
    this.place.setAttribute("aria-activedescendant", this.marked.id);
  }

  key(event) {
    const last = this.spans.length - 1;
    const steps = { ArrowLeft: -1, ArrowRight: 1, PageUp: -20, PageDown: 20 };
    const turns = { ArrowUp: -1, ArrowDown: 1 };
    const jumps = { Home: 0, End: last };
    if (event.key in turns) this.turned(turns[event.key]);
    else if (event.key in jumps) this.moved(jumps[event.key]);
    else if (event.key in steps) {
      this.moved(Math.max(0, Math.min(last, (this.symbol ?? 0) + steps[event.key])));
    } else return;
    event.preventDefault();
    this.marked?.scrollIntoView({ block: "nearest" });
  }
}
