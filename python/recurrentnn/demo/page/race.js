// On the old demo's own set-up: how long this net takes, and how long RecurrentJS took.

import { byId, make, say } from "./dom.js";
import { duration, short } from "./numbers.js";

export class Race {
  /** @param start called with the settings of the race */
  constructor(start) {
    this.start = start;
    this.place = byId("race");
  }

  hello({ race }) {
    this.place.hidden = !race;
    const made = JSON.stringify(race);
    if (!race || made === this.made) return;
    this.made = made;
    this.targets = race.targets;
    this.rows = new Map();
    const { recorded } = race;
    const [low, high] = recorded.seconds_per_character.map((s) => Math.round(s * 1e6));
    this.now_ = make("p", { class: "note" }, "");
    const body = make("tbody", {}, ...race.targets.map((target) => this.row(target)));
    this.place.replaceChildren(
      make(
        "header", {},
        make("h2", { id: "race-title" }, "Beside the old demo"),
        make("button", { type: "button", id: "race-start", on: { click: () => this.start(race.settings) } },
          "Learn with its set-up"),
      ),
      make("p", {}, "RecurrentJS made this kind of page famous. With its default set-up (LSTM [20, 20], letters as 5 numbers, one sentence an update) both make the same updates; the time until a perplexity is reached:"),
      this.table = make(
        "div", { class: "scrolling", tabindex: "0", role: "region", "aria-label": "Times to perplexities" },
        make(
          "table", {},
          make("thead", {}, make("tr", {},
            make("th", { scope: "col" }, "perplexity"),
            make("th", { scope: "col" }, "here"),
            make("th", { scope: "col" }, "RecurrentJS"),
            make("th", { scope: "col" }, ""),
          )),
          body,
        ),
      ),
      this.now_,
      make(
        "p", { class: "note" },
        `RecurrentJS: ${low} to ${high} µs a character, recorded (${recorded.source}; ${recorded.cpu}), times the characters that were read. Here: measured now, on ${race.cpu}.`,
      ),
    );
  }

  row(target) {
    const cells = {
      here: make("td", { class: "number" }, "–"),
      theirs: make("td", { class: "number" }, "–"),
      bars: make("td", { class: "lanes", "aria-hidden": "true" }),
    };
    this.rows.set(target, cells);
    return make("tr", {}, make("th", { scope: "row", class: "number" }, String(target)), ...Object.values(cells));
  }

  now({ race }) {
    if (!this.rows) return;
    this.table.hidden = !race;
    const reached = race?.reached ?? [];
    const longest = Math.max(...reached.map(({ theirs }) => theirs[1]), 1e-9);
    for (const target of this.targets) {
      const one = reached.find(({ perplexity }) => perplexity === target);
      const { here, theirs, bars } = this.rows.get(target);
      say(here, one ? duration(one.seconds) : "–");
      say(theirs, one ? `${duration(one.theirs[0])} to ${duration(one.theirs[1])}` : "–");
      if (!one) bars.replaceChildren();
      else if (bars.dataset.longest !== String(longest)) {
        bars.dataset.longest = String(longest);
        bars.replaceChildren(lane("ours", one.seconds / longest), lane("old", one.theirs[1] / longest));
      }
    }
    say(
      this.now_,
      race
        ? `Now at perplexity ${short(race.perplexity)} after ${duration(race.seconds)}; RecurrentJS would have taken ${duration(race.theirs[0])} to ${duration(race.theirs[1])}.`
        : "This net has another set-up, or was loaded.",
    );
  }
}

function lane(kind, share) {
  const bar = make("span", { class: `lane ${kind}` });
  bar.style.inlineSize = `${Math.max(0.4, 100 * share)}%`;
  return bar;
}
