// The points of the loss; the server thins them, so that they stay as many as are seen.

export class Curve {
  constructor() {
    /** [step, loss, smoothed] */
    this.train = [];
    /** [step, loss] */
    this.heldOut = [];
  }

  /** Takes in what is new, or all of it anew where `whole` names the list. */
  take({ points = [], held_out: heldOut = [], whole = [] }) {
    this.train = whole.includes("points") ? points : this.train.concat(points);
    this.heldOut = whole.includes("held_out") ? heldOut : this.heldOut.concat(heldOut);
  }

  /** The smoothed loss at a step, as far as it is known. */
  at(step) {
    const point = nearest(this.train, step);
    return point ? point[2] : null;
  }
}

/** The point whose step is nearest, of points in order. */
export function nearest(points, step) {
  if (!points.length) return null;
  let [low, high] = [0, points.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (points[middle][0] < step) low = middle + 1;
    else high = middle;
  }
  const before = points[low - 1];
  return before && step - before[0] < points[low][0] - step ? before : points[low];
}
