// Models as files: saved by download, loaded by a button or by dropping them.

import { byId, make, say } from "./dom.js";
import { reason } from "./text.js";

export class Files {
  /**
   * @param text takes a dropped file that is no model
   * @param begin asks for the model that comes with the demo
   */
  constructor(text, begin) {
    this.text = text;
    byId("begin").addEventListener("click", begin);
    byId("save-tensors").addEventListener("click", () => this.save("model.safetensors"));
    byId("save-json").addEventListener("click", () => this.save("model.json"));
    byId("load").addEventListener("click", () => byId("load-file").click());
    byId("load-file").addEventListener("change", ({ target }) => {
      if (target.files.length) this.load(target.files[0]);
      target.value = "";
    });
    this.dropping(byId("drop"));
  }

  async save(name) {
    const answer = await fetch(`/${name}`);
    if (!answer.ok) {
      say(byId("files-note"), `Not saved: ${await reason(answer)}`);
      return;
    }
    const address = URL.createObjectURL(await answer.blob());
    const link = make("a", { href: address, download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
    say(byId("files-note"), `Saved as ${name}.`);
  }

  async load(file) {
    say(byId("files-note"), `Loading ${file.name} …`);
    const answer = await fetch("/model", { method: "POST", body: file });
    const failed = answer.ok ? null : await reason(answer);
    say(byId("files-note"), failed ? `Not loaded: ${failed}` : `${file.name} is loaded.`);
  }

  dropping(veil) {
    const files = ({ dataTransfer }) => dataTransfer?.types.includes("Files");
    window.addEventListener("dragenter", (event) => {
      if (files(event)) veil.hidden = false;
    });
    window.addEventListener("dragover", (event) => {
      if (files(event)) event.preventDefault();
    });
    window.addEventListener("dragleave", (event) => {
      if (!event.relatedTarget) veil.hidden = true;
    });
    window.addEventListener("drop", (event) => {
      veil.hidden = true;
      if (!files(event)) return;
      event.preventDefault();
      const [file] = event.dataTransfer.files;
      if (!file) return;
      if (/\.(safetensors|json)$/i.test(file.name)) this.load(file);
      else this.text.open(file);
    });
  }
}
