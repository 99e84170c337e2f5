// A line without axes, for a cell of a table: an SVG, since a table has many of them.
const NAMESPACE = "http://www.w3.org/2000/svg";
const WIDTH = 120;
const HEIGHT = 26;

/** The path of points, a gap where a value is missing. @param {(number | null)[]} values */
export function sparkPath(values, width = WIDTH, height = HEIGHT) {
  const top = Math.max(0, ...values.filter((value) => value !== null)) || 1;
  const step = values.length > 1 ? width / (values.length - 1) : width;
  let pen = false;
  return values.map((value, index) => {
    if (value === null) {
      pen = false;
      return "";
    }
    const command = pen ? "L" : "M";
    pen = true;
    return `${command}${(index * step).toFixed(1)} ${(height - 2 - (value / top) * (height - 4)).toFixed(1)}`;
  }).join("");
}

/** @param {(number | null)[]} values @param {string} label what screen readers say */
export function sparkline(values, label) {
  const svg = document.createElementNS(NAMESPACE, "svg");
  for (const [name, value] of Object.entries({ class: "sparkline", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": label, preserveAspectRatio: "none" })) svg.setAttribute(name, value);
  const path = document.createElementNS(NAMESPACE, "path");
  path.setAttribute("d", sparkPath(values));
  svg.append(path);
  return svg;
}
