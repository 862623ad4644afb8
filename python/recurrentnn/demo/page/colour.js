// The style sheet's colours as numbers, and values as colours between them.

let cache = new Map();
document.addEventListener("themechange", () => (cache = new Map()));

/** A colour of the style sheet, `"--cold"`, as [red, green, blue]. */
export function rgb(name) {
  if (!cache.has(name)) {
    const probe = document.createElement("span");
    probe.style.color = `var(${name})`;
    document.body.append(probe);
    const found = getComputedStyle(probe).color.match(/[\d.]+/g).slice(0, 3);
    probe.remove();
    cache.set(name, found.map(Number));
  }
  return cache.get(name);
}

export function css([red, green, blue], alpha = 1) {
  return `rgba(${red}, ${green}, ${blue}, ${alpha})`;
}

export function mix(from, to, share) {
  return from.map((value, k) => Math.round(value + (to[k] - value) * share));
}

/** Blue for -1, the paper's own colour for 0, red for 1. */
export function diverging(value) {
  const v = Math.max(-1, Math.min(1, value));
  return mix(rgb("--zero"), rgb(v < 0 ? "--cold" : "--warm"), Math.abs(v) || 0);
}

/** From nothing at 0 to the accent at 1. */
export function rising(value) {
  return mix(rgb("--zero"), rgb("--open"), Math.max(0, Math.min(1, value)) || 0);
}

/** Black or white, whichever is read on that colour. */
export function inkOn([red, green, blue]) {
  const light = [red, green, blue].map((value) => (value / 255) ** 2.2);
  const luminance = 0.2126 * light[0] + 0.7152 * light[1] + 0.0722 * light[2];
  return luminance > 0.2 ? "#14171a" : "#ffffff";
}

/**
 * How the values of a signal become numbers from -1 to 1, and what the ends stand for.
 *
 * A gate is half open in the middle; a memory cell goes through tanh, as on its way to
 * the hidden vector; all else is shown as it is, unless it is larger than 1.
 */
export function scaleOf(signal, values) {
  if (signal === "cell") {
    return { of: Math.tanh, low: "tanh −1", high: "1" };
  }
  const gates = ["input", "forget", "output", "reset", "update"];
  if (gates.includes(signal) || signal.endsWith("gate")) {
    return { of: (value) => 2 * value - 1, low: "0 shut", high: "open 1" };
  }
  let most = 1;
  for (const row of values) for (const value of row) most = Math.max(most, Math.abs(value));
  const end = Number(most.toPrecision(2));
  return { of: (value) => value / most, low: `−${end}`, high: `${end}` };
}
