// A logarithmic slider with a box for the number: both act at once.

import { make } from "./dom.js";
import { plain } from "./numbers.js";

export class Slider {
  /**
   * @param place an empty element
   * @param settings {label, low, high, hint, change}; `change` gets each new value
   */
  constructor(place, { label, low, high, hint, change }) {
    this.low = Math.log10(low);
    this.high = Math.log10(high);
    this.change = change;
    this.at = -Infinity;
    const id = place.id;
    this.range = make("input", {
      type: "range",
      id: `${id}-range`,
      min: this.low,
      max: this.high,
      step: (this.high - this.low) / 400,
      "aria-label": label,
      on: { input: () => this.moved(10 ** Number(this.range.value)) },
    });
    this.box = make("input", {
      type: "number",
      id: `${id}-box`,
      min: 0,
      step: "any",
      "aria-describedby": `${id}-hint`,
      on: { change: () => this.typed(), focus: () => this.box.select() },
    });
    place.append(
      make("label", { for: `${id}-box` }, label),
      this.box,
      this.range,
      make("p", { class: "note", id: `${id}-hint` }, hint),
    );
  }

  moved(value) {
    const rounded = Number(value.toPrecision(3));
    this.show(rounded);
    this.change(rounded);
  }

  typed() {
    const value = Number(this.box.value);
    if (this.box.value === "" || !(value > 0)) {
      this.box.setAttribute("aria-invalid", "true");
      this.value = NaN; // the server's comes back when nobody is at it
      return;
    }
    this.show(value);
    this.change(value);
  }

  show(value) {
    this.box.removeAttribute("aria-invalid");
    this.value = value;
    this.box.value = plain(value);
    if (value > 0) this.range.value = String(Math.log10(value));
    this.range.setAttribute("aria-valuetext", plain(value));
    this.at = performance.now();
  }

  /** The server's value, unless somebody is at it. */
  follow(value) {
    const busy = document.activeElement === this.box || performance.now() - this.at < 600;
    if (busy || value === this.value) return;
    this.show(value);
    this.at = -Infinity;
  }
}
