// What charts over time have in common: a uPlot that follows its place, the crosshair and the zoom that panels share, marks
// of annotations, the tooltip. A chart that cannot be seen is not drawn.
import { h } from "../lib/dom.js";
import { exactly, tickTime } from "../lib/format.js";
import { namedColour, variable } from "../lib/palette.js";

// Distances between ticks of a time axis, in seconds.
const TICK_SECONDS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800, 1_209_600, 2_592_000];
export const AXIS_FONT = () => `11px ${variable("--font")}`;

// --- the crosshair: plots that are seen and share a key show the time under the pointer ---
const groups = new Map();
let turn = 0;
function share(key, source, time) {
  cancelAnimationFrame(turn);
  turn = requestAnimationFrame(() => {
    for (const one of groups.get(key) ?? []) if (one !== source && one.seen()) one.point(time);
  });
}

// --- the tooltip: one for the page ---
let tip = null;
const tipBox = () => {
  if (!tip?.isConnected) {
    tip = h("div", { class: "chart-tip", hidden: true });
    tip.setAttribute("aria-hidden", "true"); // the table view has the same for a screen reader
    document.body.append(tip);
  }
  return tip;
};
export function hideTip(owner) {
  if (tip && (!owner || tip.owner === owner)) tip.hidden = true;
}
/** @param {any} owner @param {{x: number, y: number}} at in the viewport @param {Node[]} children */
export function showTip(owner, { x, y }, children) {
  const box = tipBox();
  box.owner = owner;
  box.replaceChildren(...children);
  box.hidden = false;
  const { width, height } = box.getBoundingClientRect();
  const left = x + 16 + width > innerWidth ? Math.max(4, x - 16 - width) : x + 16;
  const top = Math.min(Math.max(4, y - height / 2), Math.max(4, innerHeight - height - 4));
  box.style.transform = `translate(${Math.round(left)}px, ${Math.round(top)}px)`;
}
addEventListener("scroll", () => hideTip(), { passive: true, capture: true });

export function timeAxis() {
  return {
    stroke: variable("--muted"), font: AXIS_FONT(), ticks: { show: false }, grid: { show: true, stroke: variable("--grid"), width: 1 }, size: 26, gap: 7,
    space: (_, axis, from, to, width) => (((to - from) * 60) / width < 60 ? 78 : 62),
    incrs: TICK_SECONDS,
    values: (_, ticks, axis, space, step) => ticks.map((tick) => tickTime(tick * 1000, step)),
  };
}

/**
 * A chart in a place. `build()` gives uPlot's options but for the size; `key` says when they have changed so that the plot
 * has to be made anew.
 * @param {HTMLElement} place
 * @param {{tipRows?: (index: number, plot: any, top: number) => (Node | null)[] | null}} hooks
 */
export function plotIn(place, hooks) {
  const holder = h("div", { class: "chart-holder" });
  place.append(holder);
  let plot = null;
  let built = "";
  let context = /** @type {any} */ ({});
  let size = { width: 0, height: 0 };
  let wanted = null; // what is to be drawn, until there is a size and it is seen
  let pointed = false; // by this chart's own pointer
  const seen = () => context.seen?.() ?? true;

  const observer = new ResizeObserver(([entry]) => {
    const { width, height } = entry.contentRect;
    size = { width: Math.floor(width), height: Math.floor(height) };
    if (size.width < 20 || size.height < 20) return;
    if (plot) plot.setSize(size);
    else draw();
  });
  observer.observe(holder);

  const member = {
    seen,
    point(time) {
      if (!plot) return;
      if (time === null) return plot.setCursor({ left: -10, top: -10 }, false);
      const left = plot.valToPos(time, "x");
      plot.setCursor({ left: left < 0 || left > plot.over.clientWidth ? -10 : left, top: -10 }, false);
    },
  };

  // Marks of annotations, and the one under the pointer.
  function marks(self) {
    const events = context.annotations ?? [];
    if (!events.length) return;
    const { ctx } = self;
    const { left, top, width, height } = self.bbox;
    const ratio = devicePixelRatio;
    ctx.save();
    for (const one of events) {
      const x = Math.round(self.valToPos(one.time / 1000, "x", true));
      const end = one.end ? Math.round(self.valToPos(one.end / 1000, "x", true)) : x;
      if (end < left || x > left + width) continue;
      const colour = namedColour(one.color, variable("--accent"));
      const from = Math.max(left, x);
      if (one.end) {
        ctx.globalAlpha = 0.12;
        ctx.fillStyle = colour;
        ctx.fillRect(from, top, Math.min(left + width, end) - from, height);
        ctx.globalAlpha = 1;
      }
      if (x < left) continue;
      ctx.strokeStyle = colour;
      ctx.lineWidth = ratio;
      ctx.setLineDash([4 * ratio, 3 * ratio]);
      ctx.beginPath();
      ctx.moveTo(x, top);
      ctx.lineTo(x, top + height);
      ctx.stroke();
      ctx.fillStyle = colour;
      ctx.beginPath();
      ctx.moveTo(x - 5 * ratio, top + height);
      ctx.lineTo(x + 5 * ratio, top + height);
      ctx.lineTo(x, top + height - 7 * ratio);
      ctx.fill();
    }
    ctx.restore();
  }
  function eventsNear(left) {
    return (context.annotations ?? []).filter((one) => {
      const x = plot.valToPos(one.time / 1000, "x");
      const end = one.end ? plot.valToPos(one.end / 1000, "x") : x;
      return Math.abs(x - left) < 6 || (left >= x && left <= end && plot.cursor.top > plot.over.clientHeight - 16);
    });
  }

  function onCursor(self) {
    const { left, top, idx } = self.cursor;
    if (!pointed) return;
    const inside = left >= 0 && idx !== null && idx !== undefined;
    const time = inside ? self.posToVal(left, "x") : null;
    if (context.cursor) share(context.cursor, member, time);
    if (!inside) return hideTip(holder);
    const events = eventsNear(left);
    const rows = hooks.tipRows?.(idx, self, top);
    if (!rows?.length && !events.length) return hideTip(holder);
    const box = self.over.getBoundingClientRect();
    showTip(holder, { x: box.left + left, y: box.top + Math.max(0, top) }, [
      ...events.slice(0, 5).map((one) => h("div", { class: "tip-event", vars: { colour: namedColour(one.color, variable("--accent")) } }, h("b", {}, one.title || one.name), h("span", {}, exactly(one.time)), one.text ? h("span", {}, one.text) : null)),
      ...(rows ?? []).filter(Boolean),
    ]);
  }

  function draw() {
    if (!wanted || size.width < 20 || size.height < 20) return;
    const { key, build, data, bounds, scales } = wanted;
    if (plot && built !== key) { plot.destroy(); plot = null; }
    if (!plot) {
      built = key;
      const options = build();
      plot = new window.uPlot(
        {
          ...size,
          padding: [8, 12, 0, 2],
          ...options,
          legend: { show: false },
          // Zoom and cursor are the page's: a selection becomes its range.
          cursor: { y: false, x: true, drag: { x: true, y: false, setScale: false }, points: { size: 7, width: 1.5 }, dataIdx: (self, series, index) => index, ...options.cursor },
          hooks: {
            ...options.hooks,
            drawAxes: [...(options.hooks?.drawAxes ?? [])],
            draw: [...(options.hooks?.draw ?? []), marks],
            setCursor: [onCursor],
            setSelect: [(self) => {
              const { left, width } = self.select;
              if (width < 6) return;
              const [from, to] = [self.posToVal(left, "x") * 1000, self.posToVal(left + width, "x") * 1000];
              self.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
              context.zoom?.(Math.round(from), Math.round(to));
            }],
          },
        },
        data,
        holder,
      );
      plot.over.addEventListener("pointerenter", () => { pointed = true; });
      plot.over.addEventListener("pointerleave", () => { pointed = false; hideTip(holder); if (context.cursor) share(context.cursor, member, null); });
      plot.over.addEventListener("dblclick", () => context.zoomOut?.());
      plot.over.addEventListener("click", (event) => {
        const events = plot.cursor.left >= 0 ? eventsNear(plot.cursor.left) : [];
        const found = events.find((one) => one.url);
        if (found) context.openEvent?.(found, event);
      });
    } else plot.setData(data, false);
    plot.batch(() => {
      plot.setScale("x", { min: bounds[0] / 1000, max: bounds[1] / 1000 });
      for (const [name, range] of Object.entries(scales ?? {})) plot.setScale(name, { min: range[0], max: range[1] });
    });
  }

  return {
    get plot() { return plot; },
    holder,
    /** @param {{key: string, build: () => any, data: any[][], bounds: [number, number], scales?: Record<string, [number, number]>}} next */
    update(next, nextContext) {
      const group = nextContext.cursor;
      if (group !== context.cursor) {
        groups.get(context.cursor)?.delete(member);
        if (group) groups.set(group, (groups.get(group) ?? new Set()).add(member));
      }
      context = nextContext;
      wanted = { ...next, key: `${document.documentElement.dataset.theme ?? ""}${matchMedia("(prefers-color-scheme: light)").matches}\n${next.key}` };
      draw();
    },
    destroy() {
      observer.disconnect();
      groups.get(context.cursor)?.delete(member);
      hideTip(holder);
      plot?.destroy();
      holder.remove();
    },
  };
}

export const tipTime = (ms) => h("div", { class: "tip-time" }, exactly(ms));
/** @param {{colour: string, name: string, text: string, near?: boolean}} row */
export const tipRow = ({ colour, name, text, near = false }) => h("div", { class: near ? "tip-row near" : "tip-row", vars: { colour } }, h("i"), h("span", {}, name), h("b", {}, text));
