// A line without axes. `least` keeps a flat line from filling the height; `limit` is drawn across, `marks` as bands.
const NS = "http://www.w3.org/2000/svg";
const part = (name, attributes) => {
  const element = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  return element;
};

/**
 * @param {[number, number][]} points
 * @param {{name: string, limit?: number | null, marks?: [number, number][], from?: number, to?: number, className?: string}} options
 */
export function spark(points, { name, limit = null, marks = [], from, to, className = "spark" }) {
  const svg = part("svg", { class: className, viewBox: "0 0 100 30", preserveAspectRatio: "none", role: "img", "aria-label": name });
  const values = points.map(([, value]) => value).concat(limit ?? []);
  if (points.length < 2 && limit === null) return svg;
  const start = from ?? points[0]?.[0] ?? 0;
  const end = to ?? points.at(-1)?.[0] ?? 1;
  const low = Math.min(0, ...values);
  const high = Math.max(...values, low + 1e-9);
  const x = (at) => (100 * (at - start)) / Math.max(1, end - start);
  const y = (value) => 28 - (26 * (value - low)) / (high - low);
  for (const [begun, ended] of marks) svg.append(part("rect", { x: x(begun), y: 0, width: Math.max(0.4, x(ended) - x(begun)), height: 30 }));
  if (points.length) svg.append(part("polyline", { points: points.map(([at, value]) => `${x(at).toFixed(2)},${y(value).toFixed(2)}`).join(" ") }));
  if (limit !== null) svg.append(part("line", { x1: 0, x2: 100, y1: y(limit), y2: y(limit) }));
  return svg;
}
