// The loss over the steps, on a canvas: two curves, a grid, and a value under the pointer.

import { nearest } from "./curve.js";
import { css, rgb } from "./colour.js";
import { oncePerFrame, paint, redrawn, say } from "./dom.js";
import { short, UNITS, whole } from "./numbers.js";
import { logTicks, scale, ticks } from "./scales.js";

// Milliseconds between two pictures of a curve that grows: what it costs, learning lacks.
const PAUSE = 180;
const EDGE = { left: 52, right: 14, top: 12, bottom: 26 };

export class Chart {
  /**
   * @param canvas where it is drawn; it takes the keyboard, too
   * @param readout what the pointer is on, in words
   * @param curve the points
   */
  constructor(canvas, readout, curve) {
    this.canvas = canvas;
    this.readout = readout;
    this.curve = curve;
    this.options = { unit: "bits", log: false, raw: true };
    this.picked = null;
    this.redraw = oncePerFrame(() => this.draw());
    redrawn(canvas, this.redraw);
    canvas.addEventListener("pointermove", (event) => this.point(event.offsetX));
    canvas.addEventListener("pointerleave", () => this.pick(null));
    canvas.addEventListener("blur", () => this.pick(null));
    canvas.addEventListener("keydown", (event) => this.key(event));
  }

  set(options) {
    Object.assign(this.options, options);
    this.redraw();
  }

  /** There are new points: they are drawn soon. */
  grow() {
    this.timer ??= setTimeout(() => {
      this.timer = null;
      this.redraw();
    }, PAUSE);
  }

  point(x) {
    if (this.step) this.pick(nearest(this.curve.train, this.step(x)));
  }

  pick(point) {
    this.picked = point;
    this.redraw();
  }

  key(event) {
    const points = this.curve.train;
    const moves = { ArrowLeft: -1, ArrowRight: 1, PageUp: -20, PageDown: 20 };
    const jumps = { Home: 0, End: points.length - 1 };
    if (event.key === "Escape") this.pick(null);
    if (!points.length || !(event.key in moves || event.key in jumps)) return;
    event.preventDefault();
    const now = this.picked ? points.indexOf(this.picked) : points.length;
    const next = jumps[event.key] ?? now + moves[event.key];
    this.pick(points[Math.max(0, Math.min(points.length - 1, next))]);
  }

  draw() {
    paint(this.canvas, (context, width, height) => {
      const { train, heldOut } = this.curve;
      // The points may be others than when one was picked.
      if (this.picked) this.picked = nearest(train, this.picked[0]);
      context.font = `11px ${getComputedStyle(this.canvas).fontFamily}`;
      if (!train.length) {
        this.step = null;
        this.empty(context, width, height);
        return;
      }
      const { of } = UNITS[this.options.unit];
      const frame = this.frame(width, height, of);
      this.grid(context, frame, width, height);
      const place = (k) => (point) => [frame.x(point[0]), frame.y(of(point[k]))];
      if (this.options.raw) {
        this.line(context, train.map(place(1)), css(rgb("--train"), 0.28), 1);
      }
      this.line(context, train.map(place(2)), css(rgb("--train")), 2);
      this.line(context, heldOut.map(place(1)), css(rgb("--held")), 2, true);
      this.cross(context, frame, height, of);
    });
  }

  /** Both scales, and the way back from a place to a step. */
  frame(width, height, of) {
    const { train, heldOut } = this.curve;
    const columns = this.options.raw ? [1, 2] : [2];
    let [low, high] = [Infinity, -Infinity];
    const reach = (loss) => {
      const value = of(loss);
      if (!Number.isFinite(value)) return;
      low = Math.min(low, value);
      high = Math.max(high, value);
    };
    for (const point of train) for (const k of columns) reach(point[k]);
    for (const point of heldOut) reach(point[1]);
    const log = this.options.log && low > 0;
    if (log) [low, high] = [low * 0.96, high * 1.04];
    else {
      const room = (high - low) * 0.06 || 0.1;
      [low, high] = [Math.max(0, low - room), high + room];
    }
    const first = train[0][0];
    const last = Math.max(train[train.length - 1][0], first + 1);
    const [left, right] = [EDGE.left, width - EDGE.right];
    this.step = (x) => first + ((x - left) / (right - left)) * (last - first);
    return {
      first,
      last,
      low,
      high,
      log,
      x: scale([first, last], [left, right]),
      y: scale([low, high], [height - EDGE.bottom, EDGE.top], log),
    };
  }

  grid(context, frame, width, height) {
    context.strokeStyle = css(rgb("--line"));
    context.fillStyle = css(rgb("--soft"));
    context.lineWidth = 1;
    context.textBaseline = "middle";
    context.textAlign = "right";
    const { low, high } = frame;
    const across = frame.log ? logTicks(low, high) : ticks(low, high, height / 55);
    for (const tick of across) {
      const y = Math.round(frame.y(tick)) + 0.5;
      context.beginPath();
      context.moveTo(EDGE.left, y);
      context.lineTo(width - EDGE.right, y);
      context.stroke();
      context.fillText(String(tick), EDGE.left - 8, y);
    }
    context.textBaseline = "alphabetic";
    context.textAlign = "center";
    for (const tick of ticks(frame.first, frame.last, width / 110)) {
      if (Number.isInteger(tick)) context.fillText(whole(tick), frame.x(tick), height - 8);
    }
  }

  line(context, places, colour, width, dots = false) {
    if (!places.length) return;
    context.strokeStyle = context.fillStyle = colour;
    context.lineWidth = width;
    context.lineJoin = "round";
    context.beginPath();
    for (const [x, y] of places) if (Number.isFinite(y)) context.lineTo(x, y);
    context.stroke();
    if (!dots || places.length > 60) return;
    for (const [x, y] of places) {
      context.beginPath();
      context.arc(x, y, 2.5, 0, 2 * Math.PI);
      context.fill();
    }
  }

  /** The value that is pointed at, and in words. */
  cross(context, frame, height, of) {
    const point = this.picked;
    if (!point) {
      say(this.readout, "");
      return;
    }
    const [x, y] = [frame.x(point[0]), frame.y(of(point[2]))];
    context.strokeStyle = css(rgb("--soft"), 0.6);
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(Math.round(x) + 0.5, EDGE.top);
    context.lineTo(Math.round(x) + 0.5, height - EDGE.bottom);
    context.stroke();
    context.fillStyle = css(rgb("--train"));
    context.beginPath();
    context.arc(x, y, 4, 0, 2 * Math.PI);
    context.fill();
    const parts = [
      `step ${whole(point[0])}`,
      `training ${short(of(point[2]))} (raw ${short(of(point[1]))})`,
    ];
    const held = nearest(this.curve.heldOut, point[0]);
    if (held) parts.push(`held out ${short(of(held[1]))}`);
    say(this.readout, parts.join(" · "));
  }

  empty(context, width, height) {
    say(this.readout, "");
    context.fillStyle = css(rgb("--soft"));
    context.textAlign = "center";
    context.fillText("The loss appears here as soon as it learns.", width / 2, height / 2);
  }
}
