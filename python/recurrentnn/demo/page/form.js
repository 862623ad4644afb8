// The settings: a form made of the server's own list of fields.

import { byId, make, say } from "./dom.js";

const GROUPS = [
  ["model", "Net"],
  ["options", "Options of the cell"],
  ["optimizer", "Training"],
  ["sampling", "Writing"],
];
// These are seen at once; the rest of their group folds away.
const FIRST = new Set(["cell", "hidden_sizes", "embedding_size", "lines"]);
const FIRST_TRAINING = new Set(["optimizer", "learning_rate", "batch_size", "seq_length"]);

export class Form {
  constructor() {
    this.form = byId("form");
    this.form.addEventListener("submit", (event) => event.preventDefault());
    this.form.addEventListener("input", () => this.arrange());
    for (const event of ["focusin", "pointerover"]) {
      this.form.addEventListener(event, ({ target }) => this.help(target));
    }
    this.fields = [];
    this.touched = new Set();
  }

  hello({ fields, settings }) {
    if (JSON.stringify(fields) !== this.made) {
      this.made = JSON.stringify(fields);
      this.build(fields);
    }
    // A value is that of the chosen cell and optimizer: others keep their defaults.
    const chosen = (name) =>
      settings[name] ?? this.fields.find((one) => one.name === name)?.default;
    const [cell, rule] = [chosen("cell"), chosen("optimizer")];
    for (const field of this.fields) {
      if (this.touched.has(field.name)) continue;
      const own = belongs(field, cell, rule) ? settings[field.name] : undefined;
      put(field, own ?? field.default);
    }
    this.arrange();
  }

  build(fields) {
    this.fields = fields.map((field, k) => ({ ...field, id: `field-${k}`, input: control(field) }));
    this.touched.clear();
    this.form.replaceChildren(
      ...GROUPS.flatMap(([group, title]) => {
        const own = this.fields.filter((field) => field.group === group);
        return own.length ? [this.group(group, title, own)] : [];
      }),
    );
  }

  group(name, title, fields) {
    const first = fields.filter((f) => FIRST.has(f.name) || FIRST_TRAINING.has(f.name));
    const rest = fields.filter((field) => !first.includes(field));
    const grid = (list) => make("div", { class: "fields" }, ...list.map((f) => this.row(f)));
    const group = make("fieldset", { "data-group": name }, make("legend", {}, title));
    if (first.length) group.append(grid(first));
    if (rest.length) {
      const label = first.length ? "More" : "Show";
      const more = make("details", {}, make("summary", {}, `${label} settings`), grid(rest));
      more.querySelector("summary").setAttribute("aria-label", `${label} settings: ${title}`);
      group.append(more);
    }
    return group;
  }

  row(field) {
    const { id, input } = field;
    input.id = id;
    input.addEventListener("input", () => this.touched.add(field.name));
    const help = make("span", { id: `${id}-help`, class: "unseen" }, field.help ?? "");
    input.setAttribute("aria-describedby", help.id);
    const label = make("label", { for: id }, field.label);
    const flag = field.kind === "flag";
    field.row = make(
      "div",
      { class: flag ? "field flag" : "field", "data-name": field.name },
      ...(flag ? [input, label] : [label, input]),
      help,
    );
    return field.row;
  }

  /** Shows what the chosen cell and optimizer have. */
  arrange() {
    for (const field of this.fields) field.row.hidden = !this.has(field);
    for (const group of this.form.querySelectorAll("fieldset")) {
      group.hidden = !group.querySelector(".field:not([hidden])");
    }
  }

  has(field) {
    return belongs(field, this.value("cell"), this.value("optimizer"));
  }

  value(name) {
    const field = this.fields.find((one) => one.name === name && !one.row.hidden);
    return field ? get(field) : undefined;
  }

  /** What the form says, without what the cell does not have. */
  settings() {
    const found = {};
    for (const field of this.fields) {
      const value = get(field);
      if (this.has(field) && value !== null) found[field.name] = value;
    }
    return found;
  }

  /** Sets some fields, as somebody would by hand. */
  fill(settings) {
    for (const field of this.fields) {
      if (!(field.name in settings)) continue;
      put(field, settings[field.name]);
      this.touched.add(field.name);
    }
    this.arrange();
  }

  /** What was set is what the server has: it goes on following it. */
  settle() {
    this.touched.clear();
  }

  help(target) {
    const field = this.fields.find(({ row }) => row?.contains(target));
    if (field) say(byId("form-note"), field.help ?? "");
  }
}

function belongs({ cells, optimizers }, cell, rule) {
  return (!cells || cells.includes(cell)) && (!optimizers || optimizers.includes(rule));
}

function control(field) {
  if (field.kind === "choice") {
    return make("select", {}, ...field.choices.map(option));
  }
  if (field.kind === "flag") return make("input", { type: "checkbox" });
  const number = field.kind === "integer" || field.kind === "number";
  return make("input", {
    type: number ? "number" : "text",
    min: field.minimum,
    max: field.maximum,
    step: number ? (field.kind === "integer" ? 1 : "any") : null,
    autocomplete: "off",
    spellcheck: "false",
    placeholder: field.default === null ? (field.empty ?? "none") : null,
  });
}

function option(choice) {
  return choice === null
    ? make("option", { value: "" }, "default")
    : make("option", { value: choice }, String(choice));
}

function get({ kind, input }) {
  if (kind === "flag") return input.checked;
  if (input.value.trim() === "") return null;
  return kind === "integer" || kind === "number" ? Number(input.value) : input.value;
}

function put({ kind, input }, value) {
  if (kind === "flag") input.checked = Boolean(value);
  else input.value = Array.isArray(value) ? value.join(",") : (value ?? "");
}
