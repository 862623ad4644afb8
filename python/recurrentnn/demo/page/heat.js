// Numbers as a picture: one block of colour for each, and what the pointer is on.

import { css, rgb } from "./colour.js";
import { oncePerFrame, paint, redrawn } from "./dom.js";

export class Heat {
  /**
   * @param canvas where it is drawn
   * @param colour from a value to [red, green, blue]
   * @param pointed called with (row, column) where the pointer goes, null when it leaves
   */
  constructor(canvas, colour, pointed = () => {}) {
    this.canvas = canvas;
    this.colour = colour;
    this.rows = this.columns = 0;
    this.cross = null;
    this.image = document.createElement("canvas");
    this.redraw = oncePerFrame(() => this.draw());
    redrawn(canvas, this.redraw);
    document.addEventListener("themechange", () => this.refill());
    const report = (event) => pointed(this.at(event));
    canvas.addEventListener("pointermove", report);
    canvas.addEventListener("pointerdown", report);
    canvas.addEventListener("pointerleave", () => pointed(null));
  }

  /** Shows `value(row, column)` of so many rows and columns. */
  show(rows, columns, value) {
    [this.rows, this.columns, this.value] = [rows, columns, value];
    this.refill();
    this.redraw();
  }

  refill() {
    if (!this.rows || !this.columns) return;
    this.image.width = this.columns;
    this.image.height = this.rows;
    const context = this.image.getContext("2d");
    const pixels = context.createImageData(this.columns, this.rows);
    let place = 0;
    for (let row = 0; row < this.rows; row++) {
      for (let column = 0; column < this.columns; column++) {
        const [red, green, blue] = this.colour(this.value(row, column));
        pixels.data.set([red, green, blue, 255], place);
        place += 4;
      }
    }
    context.putImageData(pixels, 0, 0);
  }

  /** Marks a row and a column. */
  mark(row, column) {
    this.cross = [row, column];
    this.redraw();
  }

  at({ offsetX, offsetY }) {
    if (!this.rows) return null;
    const { clientWidth, clientHeight } = this.canvas;
    const index = (place, size, count) =>
      Math.max(0, Math.min(count - 1, Math.floor((place / size) * count)));
    return {
      row: index(offsetY, clientHeight, this.rows),
      column: index(offsetX, clientWidth, this.columns),
    };
  }

  draw() {
    paint(this.canvas, (context, width, height) => {
      if (!this.rows || !this.columns) return;
      context.imageSmoothingEnabled = false;
      context.drawImage(this.image, 0, 0, width, height);
      if (!this.cross) return;
      const [row, column] = this.cross;
      context.strokeStyle = css(rgb("--ink"), 0.75);
      const outline = (x, y, w, h) => context.strokeRect(x + 0.5, y + 0.5, w - 1, h - 1);
      const [wide, high] = [width / this.columns, height / this.rows];
      if (row !== null) outline(0, row * high, width, Math.max(3, high));
      if (column !== null) outline(column * wide, 0, Math.max(3, wide), height);
    });
  }
}
