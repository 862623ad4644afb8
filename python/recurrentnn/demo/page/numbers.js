// Numbers as people read them, and the units of a loss.

/** What a loss in nats is called and is worth in each unit. */
export const UNITS = {
  nats: { label: "nats per symbol", of: (loss) => loss },
  bits: { label: "bits per symbol", of: (loss) => loss / Math.LN2 },
  perplexity: { label: "perplexity", of: (loss) => Math.exp(loss) },
};

export function whole(number) {
  return Math.round(number).toLocaleString("en");
}

/** Three digits that count; "–" for what is not known. */
export function short(number) {
  if (number === null || number === undefined || !Number.isFinite(number)) return "–";
  const size = Math.abs(number);
  if (size === 0) return "0";
  if (size >= 1000) return whole(number);
  if (size < 0.001) return number.toExponential(1);
  return number.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 0.1 ? 2 : 4);
}

/** A number for a box that is edited: no more digits than needed. */
export function plain(number) {
  return String(Number(Number(number).toPrecision(3)));
}

export function percent(share) {
  if (share === null || share === undefined || !Number.isFinite(share)) return "–";
  return `${(100 * share).toFixed(share < 0.0995 ? 1 : 0)} %`;
}

export function duration(seconds) {
  if (!Number.isFinite(seconds)) return "–";
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** A symbol that can be seen where it stands alone. */
export function visible(symbol) {
  const names = { "\n": "↵", " ": "␣", "\t": "⇥", "": "∎" };
  return names[symbol] ?? symbol;
}
