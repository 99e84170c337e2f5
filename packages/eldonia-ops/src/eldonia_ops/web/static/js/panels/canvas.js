// A canvas that fills its place in device pixels; drawn when its size or what it shows changes.
import { h } from "../lib/dom.js";

/** @param {HTMLElement} place @param {(context: CanvasRenderingContext2D, width: number, height: number) => void} paint in CSS pixels */
export function canvasIn(place, paint) {
  const canvas = /** @type {HTMLCanvasElement} */ (h("canvas", { "aria-hidden": "true" }));
  place.append(canvas);
  let size = { width: 0, height: 0 };
  function draw() {
    const { width, height } = size;
    if (width < 2 || height < 2) return;
    const ratio = devicePixelRatio || 1;
    const [w, t] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (canvas.width !== w || canvas.height !== t) { canvas.width = w; canvas.height = t; }
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    paint(context, width, height);
  }
  const observer = new ResizeObserver(([entry]) => {
    size = { width: entry.contentRect.width, height: entry.contentRect.height };
    draw();
  });
  observer.observe(place);
  return { draw, canvas, destroy: () => observer.disconnect() };
}

/** A small line with its area. @param {CanvasRenderingContext2D} context */
export function sparkline(context, width, height, values, colour, fill) {
  const known = values.filter((one) => typeof one === "number" && Number.isFinite(one));
  if (known.length < 2) return;
  let [low, high] = [Infinity, -Infinity];
  for (const one of known) { if (one < low) low = one; if (one > high) high = one; }
  const span = high - low || 1;
  const y = (value) => height - 2 - ((value - low) / span) * (height - 4) * (high === low ? 0 : 1) - (high === low ? height / 2 : 0);
  const step = Math.max(1, Math.floor(values.length / width));
  context.beginPath();
  let [open, first, last] = [false, 0, 0];
  for (let at = 0; at < values.length; at += step) {
    const value = values[at];
    if (typeof value !== "number" || !Number.isFinite(value)) continue;
    const x = (at / (values.length - 1)) * width;
    if (open) context.lineTo(x, y(value));
    else { context.moveTo(x, y(value)); first = x; open = true; }
    last = x;
  }
  context.strokeStyle = colour;
  context.lineWidth = 1.5;
  context.stroke();
  context.lineTo(last, height);
  context.lineTo(first, height);
  context.fillStyle = fill;
  context.fill();
}
