// Elements without markup: whatever a net or a corpus says goes in as text.

/**
 * An element.
 *
 * `settings` are attributes; a true one is bare, a false one or null is left out.
 * `on` maps events to listeners. Strings among the children become text nodes; what is
 * false or null is left out.
 */
export function make(tag, settings = {}, ...children) {
  const element = document.createElement(tag);
  const { on = {}, ...attributes } = settings;
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  for (const [event, listener] of Object.entries(on)) {
    element.addEventListener(event, listener);
  }
  element.append(...children.filter((child) => child !== false && child != null));
  return element;
}

export function byId(id) {
  return document.getElementById(id);
}

/** Sets a text only where it changes: screen readers repeat what is set. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Fills a select with options, keeping the choice if it is still one. */
export function offer(select, options) {
  const before = select.value;
  select.replaceChildren(
    ...options.map(([value, label]) => make("option", { value }, label)),
  );
  if (options.some(([value]) => value === before)) select.value = before;
}

/** Calls `draw` with the canvas's context, scaled so that a unit is a CSS pixel. */
export function paint(canvas, draw) {
  const { clientWidth: width, clientHeight: height } = canvas;
  if (!width || !height) return;
  const scale = window.devicePixelRatio || 1;
  const [columns, rows] = [Math.round(width * scale), Math.round(height * scale)];
  if (canvas.width !== columns || canvas.height !== rows) {
    canvas.width = columns;
    canvas.height = rows;
  }
  const context = canvas.getContext("2d");
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  draw(context, width, height);
}

/** Calls a function at most once a frame, however often it is asked to. */
export function oncePerFrame(call) {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      call();
    });
  };
}

/** Redraws when the canvas changes its size, or the theme its colours. */
export function redrawn(canvas, draw) {
  new ResizeObserver(draw).observe(canvas);
  document.addEventListener("themechange", draw);
}
