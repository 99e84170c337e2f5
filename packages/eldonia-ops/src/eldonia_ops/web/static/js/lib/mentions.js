// The people of this platform: to assign an incident to, and to mention in a note.
import { get } from "./api.js";
import { h } from "./dom.js";

const MENTION = /(^|[^\p{L}\p{N}_.@-])@([\p{L}\p{N}_.-]+)/gu;
let asked = null;

/** @returns {Promise<{name: string, display_name: string, disabled: boolean}[]>} */
export function people() {
  asked ??= get("/people").then((found) => found.filter((one) => !one.disabled)).catch(() => []);
  return asked;
}

// The names that a text mentions: `@name`, as long as it is no part of an address.
export const mentioned = (text) => [...text.matchAll(MENTION)].map((match) => match[2].replace(/[.-]+$/, ""));

// A text as nodes, with each mention of a known name marked; those of `mine` more so.
export function withMentions(text, known, mine = "") {
  const nodes = [];
  let done = 0;
  for (const match of text.matchAll(MENTION)) {
    const name = match[2].replace(/[.-]+$/, "");
    if (!known.has(name)) continue;
    const start = match.index + match[1].length;
    nodes.push(text.slice(done, start), h("mark", { class: name === mine ? "mention mine" : "mention" }, `@${name}`));
    done = start + name.length + 1;
  }
  return [...nodes, text.slice(done)];
}

// Completes `@na` before the caret of an input from the known names; Tab or Enter takes the first.
export function completeMentions(input, list) {
  let found = [];
  const close = () => { found = []; list.hidden = true; };
  const take = (name) => {
    const before = input.value.slice(0, input.selectionStart).replace(/@[\p{L}\p{N}_.-]*$/u, `@${name} `);
    input.value = before + input.value.slice(input.selectionStart);
    input.setSelectionRange(before.length, before.length);
    input.focus();
    close();
  };
  input.addEventListener("input", async () => {
    const begun = input.value.slice(0, input.selectionStart).match(/(?:^|\s)@([\p{L}\p{N}_.-]*)$/u);
    if (!begun) return close();
    const part = begun[1].toLowerCase();
    found = (await people()).filter((one) => one.name.toLowerCase().startsWith(part) || one.display_name.toLowerCase().includes(part)).slice(0, 6);
    list.hidden = !found.length;
    list.replaceChildren(...found.map((one) => h("li", {}, h("button", { type: "button", class: "quiet", onclick: () => take(one.name) }, `@${one.name}`, one.display_name !== one.name ? h("span", { class: "muted" }, ` ${one.display_name}`) : null))));
  });
  input.addEventListener("keydown", (event) => {
    if (!found.length) return;
    if (event.key === "Escape") close();
    else if (event.key === "Tab" || event.key === "Enter") take(found[0].name);
    else return;
    event.preventDefault();
  });
}
