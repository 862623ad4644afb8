// The inside of a net in one file: what the server would answer is in it.

import { byId } from "./dom.js";
import { Inside } from "./inside.js";
import { themed } from "./theme.js";

const STRONGEST = 5;

const data = JSON.parse(byId("data").textContent);
const inside = new Inside(byId("inside"), answer, { live: false });
themed(byId("theme"));
inside.hello(data);

function answer(message) {
  // An answer comes after its question has been noted.
  queueMicrotask(() => {
    if (message.do === "look") inside.looked({ id: message.id, ...look(message) });
    else inside.weighed({ id: message.id, ...data.weights[message.name] });
  });
  return true;
}

function look({ layer, signal }) {
  const { text, next, gates } = data;
  const values = unpacked(data.values[`${layer}.${signal}`], text.length);
  const units = values[0].length;
  return { text, next, gates, signal, layer, units, values, strongest: values.map(strongest) };
}

/** Rows of 16-bit numbers in units of `scale`, little end first, in base 64. */
function unpacked({ scale, data: packed }, rows) {
  const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  const columns = bytes.length / 2 / rows;
  const number = (row, column) => view.getInt16(2 * (row * columns + column), true) * scale;
  return Array.from({ length: rows }, (_, row) =>
    Array.from({ length: columns }, (_, column) => number(row, column)),
  );
}

function strongest(row) {
  return row
    .map((value, unit) => [unit, value])
    .sort((a, b) => Math.abs(b[1]) - Math.abs(a[1]))
    .slice(0, STRONGEST);
}
