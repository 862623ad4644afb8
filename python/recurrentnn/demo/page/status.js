// Buttons and figures: what the session does now, and how to tell it.

import { byId, make, say } from "./dom.js";
import { duration, percent, short, UNITS, whole } from "./numbers.js";

const PHASES = {
  idle: "ready",
  learning: "learning",
  paused: "paused",
  ended: "ended",
};

const FIGURES = [
  ["loss", "Loss", (now, unit) => short(now.loss === null ? null : UNITS[unit].of(now.loss))],
  ["step", "Step", (now) => whole(now.step)],
  ["epoch", "Epoch", (now) => now.epoch.toFixed(2)],
  ["speed", "Symbols / s", (now) => whole(now.symbols_per_second)],
  ["norm", "Gradient norm", (now) => short(now.gradient_norm)],
  ["clipped", "Clipped", (now) => percent(now.clipped_fraction)],
  ["time", "Learning for", (now) => duration(now.seconds)],
];

export class Status {
  /** @param act the messages that buttons send: {learn, pause, resume, step} */
  constructor(act) {
    this.unit = "bits";
    this.now_ = null;
    this.values = new Map(FIGURES.map(([id]) => [id, make("dd", { id: `figure-${id}` }, "–")]));
    byId("figures").append(
      ...FIGURES.map(([id, label]) => make("div", {}, make("dt", {}, label), this.values.get(id))),
    );
    byId("learn").addEventListener("click", () => act.learn());
    byId("step").addEventListener("click", () => {
      if (this.now_?.phase !== "learning") act.step();
    });
    byId("pause").addEventListener("click", () => {
      if (this.now_?.phase === "learning") act.pause();
      else act.resume();
    });
    byId("error").querySelector("button").addEventListener("click", () => this.error(null));
  }

  hello(message) {
    const { parameters, version } = message;
    const count = parameters.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
    const { net } = message;
    if (net) {
      const sizes = net.hidden_sizes.replaceAll(",", ", ");
      say(byId("what"), `${net.cell.toUpperCase()} [${sizes}] · ${whole(count)} weights`);
    }
    say(byId("version"), `recurrentnn ${version}`);
  }

  now(message) {
    this.now_ = message;
    const { phase } = message;
    const element = byId("phase");
    say(element, PHASES[phase] ?? phase);
    element.dataset.phase = phase;
    const begun = message.step > 0 || phase === "learning" || phase === "paused";
    say(byId("learn"), begun ? "Restart" : "Learn");
    byId("learn").disabled = false;
    say(byId("pause"), phase === "learning" ? "Pause" : "Resume");
    byId("pause").disabled = !begun;
    byId("step").disabled = !begun;
    // Not `disabled`: a step of its own would take the focus away.
    byId("step").setAttribute("aria-disabled", String(phase === "learning"));
    byId("tabs").hidden = !(message.tabs > 1);
    const tabs = `This session is open in ${message.tabs} tabs: all show and steer the same net.`;
    say(byId("tabs"), message.tabs > 1 ? tabs : "");
    if (message.error !== this.shown) this.error(message.error);
    this.shown = message.error;
    this.figures();
  }

  setUnit(unit) {
    this.unit = unit;
    this.figures();
  }

  figures() {
    if (!this.now_) return;
    for (const [id, , text] of FIGURES) say(this.values.get(id), text(this.now_, this.unit));
  }

  /** A message that stays until it is closed; null takes it away. */
  error(text) {
    byId("error").hidden = !text;
    say(byId("error").querySelector("p"), text ?? "");
  }

  connection(stands) {
    const lost = byId("lost");
    lost.hidden = stands;
    say(
      lost,
      stands
        ? ""
        : "The connection is lost; trying again. If the server was started anew, open the address that it printed.",
    );
    if (stands) return;
    const phase = byId("phase");
    say(phase, "not connected");
    phase.dataset.phase = "lost";
    for (const id of ["learn", "pause", "step"]) byId(id).disabled = true;
  }
}
