// A field for PromQL: Prometheus' own editor package (completion, colours, brackets), with help on hovering and the place of
// faults from this server. It is usable at once as a plain field of text, and stays one where the package cannot be loaded.
//
// The editor lives in a shadow root: there CodeMirror makes constructed style sheets instead of <style> elements, which the
// content security policy of the pages refuses.
import { get } from "./api.js";
import { h } from "./dom.js";
import { t } from "./i18n.js";
import { helpOf } from "./promql_help.js";
import { metadataOf, promqlSource } from "./promql_source.js";

const VENDOR = "../../vendor/codemirror/codemirror.js";
const CHECK_AFTER_MS = 500;
const MOST_METADATA = 10_000;
let shared = null;
let loading = null;
const load = () => {
  loading ??= import(VENDOR).catch((error) => {
    console.warn("PromQL is edited as plain text:", error);
    return null;
  });
  return loading;
};

// Places in a query are counted in characters by the server and in UTF-16 units here.
export const unitsOf = (text, characters) => [...text].slice(0, characters).join("").length;

/** Where a fault is: from its first to behind its last unit, at least one where there is one. @returns {[number, number]} */
export function faultRange(text, position, end = -1) {
  const from = Math.min(unitsOf(text, Math.max(0, position)), text.length);
  const to = end > position ? unitsOf(text, end) : from + 1;
  return from >= text.length && text.length ? [text.length - 1, text.length] : [from, Math.min(Math.max(to, from), text.length)];
}

/**
 * A query whose dashboard variables ($job, ${job}, [[job]]) are replaced by texts as long, so that places stay: by a name
 * and, second, by a number. One of the two can be parsed where the query is right. @returns {string[]}
 */
export function withoutVariables(text) {
  const fill = (other) => text.replace(/\$\{\w+(?::\w+)?\}|\[\[\w+\]\]|\$\w+/g, (found) =>
    /^\$\{?(__interval|__rate_interval|__range|window|interval|rate)\b/.test(found) ? `${"1".padStart(found.length - 1, "0")}m` : other.repeat(found.length));
  const named = fill("x");
  return named === text ? [text] : [named, fill("1")];
}

/**
 * What is wrong with a query, by this server's own parser: null where nothing is, undefined where it cannot be asked.
 * @param {string} text
 * @returns {Promise<{message: string, position: number, end: number} | null | undefined>}
 */
export async function checkQuery(text) {
  if (!text.trim()) return null;
  const found = await get("/promql/check", { query: text }).catch(() => undefined);
  return found && (found.valid ? null : found);
}

/**
 * @typedef {object} PromqlEditor
 * @property {HTMLElement} element the editor's outermost element
 * @property {string} value the query; setting it does not call onChange
 * @property {() => void} focus
 * @property {(error: {message: string, position?: number, end?: number} | null) => void} fault marks a fault that running the query met
 * @property {(text: string) => void} insert puts a text at the caret
 * @property {() => void} destroy
 * @property {Promise<boolean>} ready whether the full editor is there
 */

/**
 * Put an editor into a place.
 *
 * @param {HTMLElement} place
 * @param {object} [options]
 * @param {string} [options.value]
 * @param {(text: string) => void} [options.onChange] is called for what people write
 * @param {(text: string) => void} [options.onRun] is called for Enter; Shift+Enter begins a new line
 * @param {string} [options.label] what the field is called
 * @param {string} [options.placeholder]
 * @param {string[]} [options.variables] names of a dashboard's variables: they are completed, and are no faults
 * @param {() => Promise<any>} [options.loader] loads the editor's module
 * @param {ReturnType<typeof promqlSource>} [options.source] what is known of the metrics
 * @returns {PromqlEditor}
 */
export function mount(place, options = {}) {
  const { value = "", onChange, onRun, label = t("promql.label"), placeholder = t("promql.placeholder"), variables = null, loader = load } = options;
  shared ??= promqlSource();
  const source = options.source ?? shared;
  const box = h("div", { class: "promql-editor" });
  const plain = /** @type {HTMLTextAreaElement} */ (h("textarea", { class: "mono", rows: "1", spellcheck: "false", autocapitalize: "off", autocomplete: "off", maxlength: "20000", "aria-label": label, placeholder }));
  plain.value = value;
  const grow = () => { plain.rows = Math.min(8, Math.max(1, plain.value.split("\n").length)); };
  grow();
  plain.addEventListener("input", () => { grow(); onChange?.(plain.value); });
  plain.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || !onRun) return;
    event.preventDefault();
    onRun(plain.value);
  });
  box.append(plain);
  place.append(box);
  let full = null;
  let gone = false;
  let fault = null;

  const ready = loader().then((lib) => {
    if (!lib || gone) return false;
    const focused = document.activeElement === plain;
    const [start, end] = [plain.selectionStart, plain.selectionEnd];
    full = fullEditor(lib, { value: plain.value, onChange, onRun, label, placeholder, variables, source, fault: () => fault });
    plain.replaceWith(full.host);
    if (focused) {
      full.focus();
      full.select(start, end);
    }
    return true;
  });

  return {
    element: box,
    ready,
    get value() {
      return full ? full.value : plain.value;
    },
    set value(text) {
      fault = null;
      if (full) full.value = text;
      else {
        plain.value = text;
        grow();
      }
    },
    focus() {
      (full ?? plain).focus();
    },
    fault(error) {
      fault = error;
      plain.setAttribute("aria-invalid", String(Boolean(error)));
      full?.relint();
    },
    insert(text) {
      if (full) full.insert(text);
      else {
        plain.setRangeText(text, plain.selectionStart, plain.selectionEnd, "end");
        grow();
        onChange?.(plain.value);
      }
    },
    destroy() {
      gone = true;
      full?.destroy();
      box.remove();
    },
  };
}

function fullEditor(lib, { value, onChange, onRun, label, placeholder, variables, source, fault }) {
  const host = h("div", { class: "promql-host" });
  const root = host.attachShadow({ mode: "open" });
  const operators = { [lib.EqlSingle]: "=", [lib.Neq]: "!=", [lib.EqlRegex]: "=~", [lib.NeqRegex]: "!~" };
  const matchers = (found = []) => found.map((one) => ({ name: one.name, op: operators[one.type] ?? "=", value: one.value }));
  const client = {
    ...source,
    labelValues: (name, metric, found) => source.labelValues(name, metric, matchers(found)),
    series: (metric, found) => source.series(metric, matchers(found)),
  };
  const strategy = lib.newCompleteStrategy({ remote: client, maxMetricsMetadata: MOST_METADATA });
  const parse = new lib.PromQLExtension().getLinter().promQL();
  const again = lib.StateEffect.define();
  let silent = false;

  async function complete(context) {
    const before = variables && context.matchBefore(/\$\{?\w*/);
    if (before) return { from: before.from, options: variables.map((name) => ({ label: `$${name}`, type: "variable" })), validFor: /^\$?\w*$/ };
    const found = await strategy.promQL(context);
    if (!found) return null;
    return { ...found, options: found.options.map((one) => ({ ...one, info: helpOf(one.label)?.text ? () => helpBox(helpOf(one.label)) : one.info })) };
  }

  async function lint(view) {
    const text = view.state.doc.toString();
    const mark = (error) => {
      const [from, to] = faultRange(text, error.position ?? 0, error.end);
      return { from, to, severity: "error", message: error.message };
    };
    const known = fault();
    if (known && known.position >= 0) return [mark(known)];
    let found = null;
    for (const bare of variables ? withoutVariables(text) : [text]) {
      found = await checkQuery(bare);
      if (!found) break;
    }
    return found ? [mark(found)] : found === undefined && !variables ? parse(view) : [];
  }

  const help = lib.hoverTooltip(async (view, at) => {
    const node = lib.syntaxTree(view.state).resolveInner(at, 1);
    const text = view.state.sliceDoc(node.from, node.to);
    let inner = null;
    if (["Identifier", "QuotedLabelName"].includes(node.name)) {
      const name = text.replace(/^["']|["']$/g, "");
      const found = metadataOf(await source.metricMetadata(), name);
      inner = found && helpBox({ signature: [name, found.type, found.unit].filter(Boolean).join(" · "), text: found.help });
    } else if (helpOf(text)) inner = helpBox(helpOf(text));
    return inner && { pos: node.from, end: node.to, above: true, create: () => ({ dom: inner }) };
  }, { hoverTime: 350 });

  // Where a selection is typed over, browsers keep its colours by a style attribute, which the policy of the pages refuses.
  function replaceSelected(event, view) {
    const { main } = view.state.selection;
    if (event.inputType !== "insertText" || event.isComposing || main.empty || !event.data) return false;
    const insert = () => view.state.update(view.state.replaceSelection(event.data), { userEvent: "input.type", scrollIntoView: true });
    if (!view.state.facet(lib.EditorView.inputHandler).some((handle) => handle(view, main.from, main.to, event.data, insert))) view.dispatch(insert());
    event.preventDefault();
    return true;
  }

  const run = () => {
    if (!onRun) return false;
    // A list that opened in the moment in which Enter was pressed does not take it: the query is meant.
    if (lib.completionStatus(view.state) === "active" && lib.acceptCompletion(view)) return true;
    onRun(view.state.doc.toString());
    return true;
  };
  const view = new lib.EditorView({
    root,
    parent: root,
    state: lib.EditorState.create({
      doc: value,
      extensions: [
        lib.history(),
        lib.bracketMatching(),
        lib.closeBrackets(),
        lib.promQLLanguage("PromQL"),
        lib.autocompletion({ override: [complete], icons: false, maxRenderedOptions: 60 }),
        lib.linter(lint, { delay: CHECK_AFTER_MS, needsRefresh: (update) => update.transactions.some((one) => one.effects.some((effect) => effect.is(again))) }),
        help,
        lib.EditorView.lineWrapping,
        lib.placeholder(placeholder),
        lib.syntaxHighlighting(colours(lib)),
        lib.EditorView.theme(THEME),
        lib.EditorView.contentAttributes.of({ "aria-label": label, spellcheck: "false", autocapitalize: "off" }),
        lib.EditorView.domEventHandlers({ beforeinput: replaceSelected }),
        lib.EditorView.updateListener.of((update) => {
          if (update.docChanged && !silent) onChange?.(update.state.doc.toString());
        }),
        lib.keymap.of([
          { key: "Tab", run: lib.acceptCompletion },
          { key: "Enter", run },
          { key: "Mod-Enter", run: () => { onRun?.(view.state.doc.toString()); return Boolean(onRun); } },
          ...lib.closeBracketsKeymap,
          ...lib.completionKeymap,
          ...lib.historyKeymap,
          ...lib.defaultKeymap,
        ]),
      ],
    }),
  });
  // Keys that are written here are not the page's: seen from there, the target is an element that takes no text.
  host.addEventListener("keydown", (event) => { if (event.key !== "Escape") event.stopPropagation(); });

  return {
    host,
    get value() {
      return view.state.doc.toString();
    },
    set value(text) {
      if (text === view.state.doc.toString()) return;
      silent = true;
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
      silent = false;
    },
    focus: () => view.focus(),
    select: (anchor, head) => view.dispatch({ selection: { anchor, head } }),
    insert(text) {
      view.dispatch(view.state.replaceSelection(text));
      view.focus();
    },
    relint() {
      view.dispatch({ effects: again.of(null) });
      lib.forceLinting(view);
    },
    destroy: () => view.destroy(),
  };
}

const helpBox = ({ signature, text }) => h("div", { class: "promql-help" }, h("code", {}, signature), text ? h("p", {}, text) : null);

const colours = ({ HighlightStyle, tags }) =>
  HighlightStyle.define([
    { tag: tags.number, color: "var(--warn)" },
    { tag: tags.string, color: "var(--ok)" },
    { tag: [tags.function(tags.variableName), tags.operatorKeyword, tags.modifier, tags.keyword], color: "var(--c3)" },
    { tag: tags.labelName, color: "var(--c5)" },
    { tag: tags.operator, color: "var(--muted)" },
    { tag: tags.comment, color: "var(--muted)", fontStyle: "italic" },
    { tag: tags.invalid, color: "var(--bad)" },
  ]);

const THEME = {
  "&": { color: "var(--text)", background: "var(--surface)", border: "1px solid var(--line-strong)", borderRadius: "8px", fontSize: "13px", minHeight: "36px" },
  "&.cm-focused": { outline: "2px solid var(--accent)", outlineOffset: "1px" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.55", maxHeight: "220px" },
  ".cm-content": { padding: "7px 4px", caretColor: "var(--text)", minWidth: "0" },
  ".cm-line": { padding: "0 7px", overflowWrap: "anywhere" },
  ".cm-cursor": { borderLeftColor: "var(--text)" },
  ".cm-placeholder": { color: "var(--muted)" },
  ".cm-matchingBracket": { background: "var(--accent-soft) !important", color: "inherit !important" },
  ".cm-lintRange-error": { backgroundImage: "none", textDecoration: "underline wavy var(--bad)", textUnderlineOffset: "3px", textDecorationSkipInk: "none" },
  ".cm-tooltip": { background: "var(--surface)", color: "var(--text)", border: "1px solid var(--line-strong)", borderRadius: "8px", boxShadow: "var(--shadow)", fontSize: "13px", maxWidth: "min(560px, 92vw)" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "var(--mono)", maxHeight: "260px", maxWidth: "min(520px, 92vw)", padding: "4px" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: "4px 8px", borderRadius: "5px", overflow: "hidden", textOverflow: "ellipsis" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { background: "var(--accent-soft)", color: "var(--text)" },
  ".cm-completionMatchedText": { textDecoration: "none", color: "var(--accent)", fontWeight: "600" },
  ".cm-completionDetail": { color: "var(--muted)", fontStyle: "normal", marginLeft: "12px", fontSize: "12px" },
  ".cm-tooltip.cm-completionInfo": { padding: "8px 11px", fontFamily: "var(--font)", overflowWrap: "anywhere" },
  ".cm-diagnostic": { padding: "7px 11px", fontFamily: "var(--font)" },
  ".cm-diagnostic-error": { borderLeft: "3px solid var(--bad)" },
  ".promql-help": { padding: "8px 11px", fontFamily: "var(--font)" },
  ".promql-help code": { fontFamily: "var(--mono)", fontSize: "12.5px", overflowWrap: "anywhere" },
  ".promql-help p": { margin: "4px 0 0" },
};
