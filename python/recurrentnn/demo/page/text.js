// The text to learn: edited, or opened from a file; sent when learning begins.

import { byId, say } from "./dom.js";
import { whole } from "./numbers.js";

const MOST_BYTES = 5_000_000;
// A longer text is shown in part, and cannot be edited: a box of millions is no use.
const MOST_SHOWN = 200_000;

export class Text {
  constructor() {
    this.box = byId("text");
    this.held = "";
    this.file = null;
    this.box.addEventListener("input", () => this.note());
    byId("text-undo").addEventListener("click", () => this.show(this.held));
    byId("text-new").addEventListener("click", () => {
      this.show("");
      this.box.focus();
    });
    byId("text-open").addEventListener("click", () => byId("text-file").click());
    byId("text-file").addEventListener("change", ({ target }) => {
      if (target.files.length) this.open(target.files[0]);
      target.value = "";
    });
  }

  get changed() {
    return this.file !== null || (!this.box.readOnly && this.box.value !== this.held);
  }

  /** Fetches the text that the server holds, if it is another; what is edited here stays. */
  async hold(about) {
    const key = JSON.stringify(about);
    if (key === this.key) return;
    this.key = key;
    const answer = await fetch("/text").catch(() => null);
    if (!answer?.ok) {
      this.key = null;
      return;
    }
    const held = await answer.text();
    const mine = this.changed; // asked now: a text may have been dropped meanwhile
    this.held = held;
    say(byId("text-size"), `${whole(about.characters)} characters, ${whole(about.symbols)} different`);
    if (mine) this.note();
    else this.show(this.held);
  }

  /** Puts a text in the box: the one that is held, or what a file has. */
  show(text, file = null) {
    this.file = file;
    this.box.readOnly = text.length > MOST_SHOWN;
    const shown = this.box.readOnly ? text.slice(0, MOST_SHOWN) : text;
    if (this.box.value !== shown) this.box.value = shown;
    this.note();
  }

  note() {
    const parts = [];
    if (this.box.readOnly) {
      parts.push(`The first ${whole(MOST_SHOWN)} characters are shown: too long to be edited here.`);
    }
    if (this.changed) parts.push("Changed: learnt from the next start on.");
    say(byId("text-note"), parts.join(" "));
    byId("text-new").hidden = !this.box.readOnly;
    byId("text-undo").hidden = !this.changed;
  }

  async open(file) {
    if (file.size > MOST_BYTES) {
      say(byId("text-note"), `${file.name} has more than ${whole(MOST_BYTES)} bytes.`);
      return;
    }
    try {
      const text = new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer());
      this.show(text, { name: file.name, text });
    } catch {
      say(byId("text-note"), `${file.name} is not UTF-8 text.`);
    }
  }

  /** Sends the text if it was changed; an error is thrown with the server's words. */
  async sent() {
    if (!this.changed) return;
    const { name, text: body } = this.file ?? { name: "your text", text: this.box.value };
    const address = `/text?name=${encodeURIComponent(name.slice(0, 100))}`;
    const answer = await fetch(address, { method: "POST", body });
    if (!answer.ok) throw new Error(await reason(answer));
    this.held = body;
    this.file = null;
    this.note();
  }
}

/** What the server says against a request. */
export async function reason(answer) {
  const text = await answer.text();
  try {
    return JSON.parse(text).error ?? text;
  } catch {
    return text || `the server answered ${answer.status}`;
  }
}
