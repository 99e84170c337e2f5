// What panels show is asked for in one request for all that are near the window; those below it are asked for when they come
// near. Drawing is done in pieces, so that scrolling goes on.
import { send } from "../lib/api.js";
import { decoded } from "../lib/dashboards/frames.js";
import { batches, byPanel } from "../lib/dashboards/queries.js";

const GATHER_MS = 40;
const TASK_MS = 8;

/**
 * Work that is done a little at a time, in the order given: a task for each some milliseconds, so that frames and what people do
 * come between. Not in animation frames: where those are slow, all would wait for them.
 */
function pieces() {
  let queue = [];
  let under = false;
  const channel = new MessageChannel();
  const run = () => {
    const until = performance.now() + TASK_MS;
    do queue.shift()?.work();
    while (queue.length && performance.now() < until);
    under = queue.length > 0;
    if (under) channel.port2.postMessage(null);
  };
  channel.port1.onmessage = run;
  return (key, work) => {
    queue = queue.filter((one) => one.key !== key);
    queue.push({ key, work });
    if (under) return;
    under = true;
    channel.port2.postMessage(null);
  };
}

/**
 * @param {{range: () => any, selections: () => any, more?: () => any, draw: (item: any) => void, state: (item: any) => void, asked?: (seconds: number) => void}} page
 *   `range()` gives what is sent of the time; `draw` shows an item's data; `state` shows that it waits or failed
 */
export function loaderOf({ range, selections, more = () => ({}), draw, state, asked }) {
  /** @type {Map<string, any>} */
  let items = new Map();
  let generation = 0;
  let gathering = 0;
  let request = new AbortController();
  let bounds = /** @type {[number, number]} */ ([0, 0]);
  let underWay = 0;
  const later = pieces();

  const show = (item) => later(item.key, () => { if (items.get(item.key) === item && item.near) { item.drawn = item.generation; draw(item); } });
  const plain = (item) => !batches([item]).length;

  async function ask() {
    clearTimeout(gathering);
    gathering = 0;
    const wanted = [...items.values()].filter((one) => one.near && one.generation !== generation && one.asked !== generation);
    for (const item of wanted.filter(plain)) { Object.assign(item, { generation, results: [], bounds }); show(item); }
    const now = generation;
    const { signal } = request;
    await Promise.all(batches(wanted.filter((one) => !plain(one))).map(async (/** @type {{items: any[], queries: any[]}} */ { items: some, queries }) => {
      for (const item of some) { item.asked = now; item.loading = true; state(item); }
      underWay += 1;
      const began = performance.now();
      try {
        const answer = await send("POST", "/dashboards/query", { ...range(), variables: selections(), queries, ...more() }, {}, signal);
        if (now !== generation) return;
        if (typeof answer.from === "number") bounds = [answer.from, answer.to];
        const found = byPanel(answer.results.map(decoded));
        for (const item of some) {
          if (items.get(item.key) !== item) continue;
          const results = found.get(item.key) ?? [];
          Object.assign(item, { generation: now, loading: false, results, error: null, bounds: boundsOf(item, results) });
          state(item);
          show(item);
        }
        asked?.((performance.now() - began) / 1000);
      } catch (error) {
        if (error.name === "AbortError" || now !== generation) return;
        for (const item of some) { Object.assign(item, { loading: false, error, asked: -1, generation: now }); state(item); }
      } finally {
        underWay -= 1;
      }
    }));
  }
  // A panel with a range of its own shows that one.
  const boundsOf = ({ panel }, results) => (panel.time_from || panel.time_shift ? (results[0] ? [results[0].from, results[0].to] : bounds) : bounds);
  const soon = () => { if (!gathering) gathering = setTimeout(ask, GATHER_MS); };

  return {
    get busy() { return underWay > 0; },
    get bounds() { return bounds; },
    /** @param {any[]} next the panels that are there now; those of a known key keep their data */
    set(next) {
      items = new Map(next.map((one) => [one.key, one]));
    },
    /** All is asked for anew: what is near at once, the rest when it comes near. */
    refresh({ abort = true } = {}) {
      if (!abort && underWay) return Promise.resolve();
      request.abort();
      request = new AbortController();
      generation += 1;
      return ask();
    },
    /** One panel has other queries. */
    again(item) {
      item.generation = -1;
      item.asked = -1;
      if (item.near) soon();
    },
    near(item, near) {
      if (item.near === near) return;
      item.near = near;
      if (!near) return;
      if (item.generation !== generation && item.asked !== generation) soon();
      else if (item.drawn !== item.generation) show(item);
    },
    redraw(item) { if (item.near && item.results) show(item); else item.drawn = -1; },
  };
}
