// A beginning that the net continues, letter by letter.

import { byId, make, say } from "./dom.js";

export class Prompt {
  /** @param send takes a message; says whether it went */
  constructor(send) {
    this.send = send;
    this.id = 0;
    this.running = false;
    byId("prompt").addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.running) this.stop();
      else this.start();
    });
  }

  start() {
    const prompt = byId("prompt-text").value;
    const length = Number(byId("prompt-length").value);
    this.id += 1;
    if (!this.send({ do: "continue", id: this.id, prompt, length })) return;
    this.written = document.createTextNode("");
    const out = byId("prompt-out");
    out.replaceChildren(make("b", {}, prompt), this.written);
    out.hidden = false;
    out.setAttribute("aria-busy", "true");
    this.run(true);
    say(byId("prompt-note"), "");
  }

  stop() {
    this.send({ do: "silence", id: this.id });
    this.run(false);
  }

  run(running) {
    this.running = running;
    say(byId("prompt-go"), running ? "Stop" : "Write");
    if (!running) byId("prompt-out").removeAttribute("aria-busy");
  }

  letters({ id, text, done }) {
    if (id !== this.id || !this.running) return;
    this.written.appendData(text);
    if (done) this.run(false);
  }

  refused(message) {
    if (message.do !== "continue" || message.id !== this.id) return;
    this.run(false);
    say(byId("prompt-note"), message.message);
  }

  connection(stands) {
    if (!stands && this.running) this.run(false);
  }
}
