// What it wrote on its way: from noise to words.

import { byId, make, say } from "./dom.js";
import { short, UNITS, whole } from "./numbers.js";

const MOST = 30;

export class Samples {
  /** @param curve tells the loss at a step */
  constructor(curve) {
    this.curve = curve;
    this.unit = "bits";
    this.kept = [];
    this.list = byId("samples");
  }

  now(message) {
    const whole_ = message.whole?.includes("samples");
    if (whole_) this.clear();
    for (const { step, text } of message.samples ?? []) this.add(step, text);
    if (message.greedy) {
      say(byId("greedy"), message.greedy.text || "(nothing)");
      say(byId("greedy-step"), `at step ${whole(message.greedy.step)}`);
    } else if (message.step === 0) {
      say(byId("greedy"), "nothing yet");
      say(byId("greedy-step"), "");
    }
  }

  clear() {
    this.kept = [];
    this.list.replaceChildren();
  }

  setUnit(unit) {
    this.unit = unit;
    for (const one of this.kept) this.label(one);
  }

  add(step, text) {
    const head = make("p", { class: "note" });
    const item = make("li", {}, head, make("p", { class: "written" }, text));
    const one = { step, head, item };
    this.label(one);
    this.kept.push(one);
    this.list.prepend(item);
    if (this.kept.length > MOST) this.forget();
  }

  label({ step, head }) {
    const loss = this.curve.at(step);
    const { of, label } = UNITS[this.unit];
    const worth = loss === null ? "" : ` · ${short(of(loss))} ${label}`;
    head.replaceChildren(make("b", {}, `step ${whole(step)}`), worth);
  }

  /** Drops the one that is missed least: whose neighbours' steps are nearest in ratio. */
  forget() {
    let [least, which] = [Infinity, 1];
    for (let k = 1; k < this.kept.length - 1; k++) {
      const gap = Math.log((this.kept[k + 1].step + 1) / (this.kept[k - 1].step + 1));
      if (gap < least) [least, which] = [gap, k];
    }
    this.kept.splice(which, 1)[0].item.remove();
  }
}
