// The queries that were run in this browser, the latest first.
const KEY = "eldonia_ops_query_history";
const MOST = 100;

function stored() {
  try {
    const found = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(found) ? found.filter((one) => typeof one?.query === "string" && Number.isFinite(one.at)) : [];
  } catch {
    return []; // storage that is blocked, or holds something else
  }
}

function store(entries) {
  try {
    localStorage.setItem(KEY, JSON.stringify(entries));
  } catch {
    // a browser without room keeps no history
  }
}

/** @returns {{query: string, at: number, starred?: boolean}[]} */
export const history = () => stored();

export function remember(query, at = Date.now()) {
  const text = query.trim();
  if (!text) return;
  const all = stored();
  const before = all.find((one) => one.query === text);
  const rest = all.filter((one) => one !== before);
  const entries = [{ query: text, at, ...(before?.starred ? { starred: true } : {}) }, ...rest];
  store([...entries.filter((one) => one.starred), ...entries.filter((one) => !one.starred).slice(0, MOST)].sort((a, b) => b.at - a.at));
}

export function star(query) {
  store(stored().map((one) => (one.query === query ? { ...one, starred: !one.starred } : one)));
}

/** Forget one query, or all without a star. @param {string} [query] */
export function forget(query) {
  store(stored().filter((one) => (query === undefined ? one.starred : one.query !== query)));
}
