// What the eye is on: one symbol, the units that are strongest there, and what may follow.

import { css, diverging } from "./colour.js";
import { make, say } from "./dom.js";
import { percent, visible } from "./numbers.js";

export class Eye {
  /** @param chosen called with the unit that is picked from the strongest */
  constructor(chosen) {
    this.symbol = make("p", { class: "eye-symbol", "aria-hidden": "true" });
    this.where = make("p", { class: "note" });
    this.strongest = make("ol", { class: "bars strongest" });
    this.next = make("ol", { class: "bars" });
    this.spoken = make("p", { class: "unseen", role: "status", "aria-live": "polite" });
    this.chosen = chosen;
    this.element = make(
      "div",
      { class: "eye" },
      make("div", { class: "eye-head" }, this.symbol, this.where),
      make("h3", {}, "Strongest units"),
      this.strongest,
      make("h3", {}, "What may follow"),
      this.next,
      this.spoken,
    );
  }

  /** Shows symbol `k` of what was looked at; `of` makes numbers from -1 to 1 of values. */
  show(looked, k, unit, of) {
    const { text, values, first = 0 } = looked;
    const value = values[k][unit - first];
    say(this.symbol, visible(text[k]));
    const known = value === undefined ? "" : `, unit ${unit}: ${value.toFixed(2)}`;
    say(this.where, `symbol ${k + 1} of ${text.length}${known}`);
    const buttons = () => [...this.strongest.querySelectorAll("button")];
    const focused = buttons().indexOf(document.activeElement);
    this.strongest.replaceChildren(
      ...looked.strongest[k].map(([number, strength]) => this.unit(number, strength, of, unit)),
    );
    buttons()[focused]?.focus();
    const true_ = text[k + 1];
    this.next.replaceChildren(
      ...looked.next[k].map(([symbol, share]) => follower(symbol, share, symbol === true_)),
    );
    // What changes by itself while the net learns is not spoken.
    const at = `${k} ${unit} ${text[k]}`;
    if (at === this.at) return;
    this.at = at;
    const [best] = looked.next[k];
    const likely = best ? ` Most likely next: ${visible(best[0])}, ${percent(best[1])}.` : "";
    clearTimeout(this.timer);
    this.timer = setTimeout(
      () => say(this.spoken, `${visible(text[k])}${known}.${likely}`),
      250,
    );
  }

  unit(number, strength, of, current) {
    const bar = make("span", { class: "bar" });
    const share = of(strength);
    bar.style.inlineSize = `${Math.min(1, Math.abs(share)) * 100}%`;
    bar.style.backgroundColor = css(diverging(share));
    const button = make(
      "button",
      {
        type: "button",
        class: "quiet",
        "aria-pressed": String(number === current),
        on: { click: () => this.chosen(number) },
      },
      make("span", { class: "name" }, `unit ${number}`),
      make("span", { class: "track" }, bar),
      make("span", { class: "value" }, strength.toFixed(2)),
    );
    return make("li", {}, button);
  }
}

function follower(symbol, share, right) {
  const bar = make("span", { class: "bar" });
  bar.style.inlineSize = `${share * 100}%`;
  return make(
    "li",
    { class: right ? "right" : null },
    make("span", { class: "name" }, visible(symbol)),
    make("span", { class: "track" }, bar),
    make("span", { class: "value" }, percent(share)),
    right && make("span", { class: "unseen" }, "which is what follows"),
  );
}
