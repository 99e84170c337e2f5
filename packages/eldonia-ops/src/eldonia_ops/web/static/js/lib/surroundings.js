// The records before and after one, from the same source, or service and host.
import { act, get } from "./api.js";
import { $, h, open } from "./dom.js";
import { clockMs, exactly, nsToMs } from "./format.js";

const FIRST = 20;
const MOST = 500;

function line(record, chosen) {
  const ms = nsToMs(record.timestampNs);
  return h("li", { class: `is-${record.level}${record.cursor === chosen ? " chosen" : ""}`, ...(record.cursor === chosen ? { "aria-current": "true" } : {}) },
    h("time", { datetime: new Date(ms).toISOString(), title: exactly(ms) }, clockMs(ms)), h("span", { class: `lv-${record.level}` }, record.level), h("span", { class: "text" }, record.message));
}

/**
 * @param {{cursor: string}} record
 * @param {(search: string) => void} search
 */
export async function showSurroundings(record, search) {
  const dialog = $("#around");
  const list = $("#around-list");
  let limit = FIRST;
  const show = async () => {
    const found = await get("/logs/around", { cursor: record.cursor, limit });
    $("#around-query").textContent = found.query || "*";
    $("#around-search").onclick = () => { dialog.close(); search(found.query); };
    list.replaceChildren(...found.records.toReversed().map((one) => line(one, record.cursor)));
    $("#around-more").hidden = limit >= MOST || !(found.more_before || found.more_after);
    $(".chosen", list)?.scrollIntoView({ block: "center" });
  };
  $("#around-more").onclick = () => { limit = Math.min(MOST, limit * 5); act(show); };
  await act(async () => {
    await show();
    open(dialog);
    $(".chosen", list)?.scrollIntoView({ block: "center" });
  });
}
