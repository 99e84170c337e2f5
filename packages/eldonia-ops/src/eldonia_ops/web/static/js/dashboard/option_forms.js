// What can be set of a panel of each type: tables of fields, read by the editor. A field is [key, kind, choices or attributes].
import { calcTitle } from "../lib/dashboards/legend.js";
import { REDUCERS } from "../lib/dashboards/reduce.js";
import { h } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { colourField, listField, listOf, numberField, pair, selectField, textField, toggleField, unitField } from "./fields.js";

const COMMON_CALCS = ["last", "mean", "min", "max", "sum", "median", "p95", "p99", "count", "first", "range", "delta", "diff", "diff_percent", "std_dev"];
const calcChoices = (chosen = []) => [...new Set([...COMMON_CALCS, ...REDUCERS.filter((one) => chosen.includes(one))])];

/** @type {Record<string, [string, string, any?][]>} */
const FIELDS = {
  timeseries: [
    ["draw", "select", ["line", "bars", "points"]], ["interpolation", "select", ["linear", "smooth", "step_before", "step_after"]], ["line_width", "number", { min: 0, max: 20, step: 0.5 }], ["line_style", "select", ["solid", "dash", "dots"]],
    ["fill", "number", { min: 0, max: 100 }], ["gradient", "select", ["none", "opacity", "hue", "scheme"]], ["points", "select", ["auto", "always", "never"]], ["point_size", "number", { min: 1, max: 40 }],
    ["stacking", "select", ["none", "normal", "percent"]], ["connect", "text", { placeholder: "always / 5m" }], ["threshold_style", "select", ["off", "line", "dashed", "area", "line_and_area", "dashed_and_area"]],
  ],
  axis: [
    ["axis", "select", ["auto", "left", "right", "hidden"]], ["axis_label", "text"], ["axis_scale", "select", ["linear", "log2", "log10", "symlog"]], ["axis_soft_min", "number"], ["axis_soft_max", "number"], ["axis_grid", "select", ["auto", "on", "off"]], ["axis_centered", "toggle"],
  ],
  stat: [
    ["color_mode", "select", ["value", "none", "background", "background_solid"]], ["graph_mode", "select", ["area", "none"]], ["text_mode", "select", ["auto", "value", "value_and_name", "name", "none"]], ["orientation", "select", ["auto", "horizontal", "vertical"]],
    ["justify", "select", ["auto", "center"]], ["percent_change", "toggle"], ["value_size", "number", { min: 0, max: 400 }],
  ],
  gauge: [["orientation", "select", ["auto", "horizontal", "vertical"]], ["threshold_markers", "toggle", true], ["threshold_labels", "toggle"]],
  bar: [["bar_style", "select", ["gradient", "basic", "lcd", "columns"]], ["orientation", "select", ["auto", "horizontal", "vertical"]], ["show_unfilled", "toggle", true], ["category", "text"], ["show_values", "select", ["auto", "always", "never"]], ["stacking", "select", ["none", "normal", "percent"]]],
  table: [["cell", "select", ["auto", "text", "color", "background", "gauge", "sparkline", "json", "link"]], ["align", "select", ["auto", "left", "center", "right"]], ["header", "toggle", true], ["filterable", "toggle"], ["page_size", "number", { min: 0, max: 1000 }], ["footer", "calcs"]],
  heatmap: [],
  state_timeline: [["merge_equal", "toggle", true], ["row_height", "number", { min: 0.05, max: 1, step: 0.05 }], ["show_values", "select", ["auto", "always", "never"]]],
  logs: [["columns", "list"], ["wrap", "toggle", true], ["newest_first", "toggle", true], ["limit", "number", { min: 1, max: 1000 }]],
  traces: [["limit", "number", { min: 1, max: 1000 }]],
  text: [["content", "long"]],
};
const HEAT = [["calculate", "toggle"], ["scheme", "select", ["oranges", "blues", "greens", "magma"]], ["scale", "select", ["exponential", "linear"]], ["exponent", "number", { min: 0, max: 10, step: 0.1 }], ["min", "number"], ["max", "number"], ["hide_below", "number"], ["reverse", "toggle"], ["reverse_y", "toggle"]];
const LEGEND = [["show", "toggle", true], ["mode", "select", ["list", "table"]], ["placement", "select", ["bottom", "right"]], ["calcs", "calcs"], ["sort_by", "text"], ["sort_descending", "toggle"]];
const TOOLTIP = [["mode", "select", ["single", "all", "none"]], ["sort", "select", ["none", "ascending", "descending"]]];
const REDUCE = [["calcs", "calcs"], ["values", "toggle"], ["limit", "number", { min: 0, max: 10_000 }], ["fields", "text"]];

// One field of a table, for a value.
/** @param {any[]} field @param {any} value @param {(value: any) => void} changed @returns {HTMLElement} */
function control([key, kind, more], value, changed) {
  const name = t(`option.${key}`);
  switch (kind) {
    case "select": return selectField(name, value, more.map((one) => [one, /\w/.test(one) ? t(`choice.${one}`) : one]), changed);
    case "number": return numberField(name, value, changed, more ?? {});
    case "toggle": return toggleField(name, value ?? (more === true), (on) => changed(on === (more === true) ? undefined : on));
    case "list": return listField(name, value, changed);
    case "long": return textField(name, typeof value === "object" ? value?.en : value, changed, { lines: 10, class: "mono", hint: t("editor.markdown") });
    case "calcs": return calcs(name, value ?? [], changed);
    default: return textField(name, value, changed, more ?? {});
  }
}
function calcs(name, value, changed) {
  let chosen = [...value];
  return h("fieldset", { class: "field" }, h("legend", {}, name), h("div", { class: "chips small" }, calcChoices(chosen).map((one) => h("label", { class: "chip" }, h("input", { type: "checkbox", checked: chosen.includes(one), onchange: (event) => {
    chosen = event.currentTarget.checked ? [...chosen, one] : chosen.filter((each) => each !== one);
    changed(chosen.length ? chosen : undefined);
  } }), h("span", {}, calcTitle(one))))));
}
const controls = (fields, of, set) => fields.map((one) => control(one, of?.[one[0]], (value) => set(one[0], value)));
const without = (of, key, value) => { const next = { ...of, [key]: value }; if (value === undefined) delete next[key]; return next; };

/** Groups of fields for a type: [name, fields]. @param {any} panel @param {(change: (panel: any) => any, merge: string) => void} change */
export function optionGroups(panel, change) {
  const set = (key, value) => change((one) => ({ ...one, options: without(one.options ?? {}, key, value) }), `option:${key}`);
  const inner = (part) => (key, value) => change((one) => ({ ...one, options: without(one.options ?? {}, part, without(one.options?.[part] ?? {}, key, value)) }), `option:${part}.${key}`);
  const type = panel.type ?? "timeseries";
  const options = panel.options ?? {};
  const found = [];
  if (FIELDS[type]?.length) found.push([t(`panel_type.${type}`), controls(FIELDS[type], options, set)]);
  if (type === "heatmap") found.push([t("panel_type.heatmap"), controls(HEAT, options.heat, inner("heat"))]);
  if (["stat", "gauge", "bar"].includes(type)) found.push([t("editor.reduce"), controls(REDUCE, { calcs: ["last"], ...options.reduce }, inner("reduce"))]);
  if (type === "timeseries") found.push([t("editor.axis"), controls(FIELDS.axis, options, set)]);
  if (["timeseries", "bar", "state_timeline"].includes(type)) found.push([t("editor.legend_group"), controls(LEGEND, options.legend, inner("legend"))]);
  if (["timeseries"].includes(type)) found.push([t("editor.tooltip"), controls(TOOLTIP, { mode: "all", sort: "descending", ...options.tooltip }, inner("tooltip"))]);
  return found;
}

// --- thresholds, mappings, links ---
export function thresholdForm(thresholds, changed) {
  const now = { mode: "absolute", steps: [], ...thresholds };
  const set = (next) => { Object.assign(now, next); changed(now.steps.length ? { ...now, steps: now.steps } : undefined); };
  return [
    selectField(t("option.mode"), now.mode, ["absolute", "percentage"].map((one) => [one, t(`choice.${one}`)]), (mode) => set({ mode: mode ?? "absolute" })),
    listOf({
      items: now.steps, addText: t("editor.add_threshold"),
      add: () => (now.steps.length ? { value: Math.max(0, ...now.steps.map((one) => one.value ?? 0)) + 10, color: ["orange", "red", "purple"][Math.min(2, now.steps.length - 1)] } : { color: "green" }),
      changed: (steps) => set({ steps }),
      row: (one, change, at) => [
        at === 0 && (one.value === undefined || one.value === null) ? h("span", { class: "base-step" }, t("editor.base")) : h("input", { type: "number", step: "any", "aria-label": t("editor.from_value"), value: one.value ?? "", oninput: (event) => change({ ...one, value: event.currentTarget.value === "" ? undefined : Number(event.currentTarget.value) }) }),
        colourField("", one.color, (color) => change({ ...one, color })),
      ],
    }),
  ];
}
const KINDS = ["value", "range", "regex", "special"];
const kindOf = (mapping) => KINDS.find((one) => mapping[one] !== undefined && mapping[one] !== null) ?? "value";
export function mappingForm(mappings, changed) {
  return [listOf({
    items: mappings ?? [], addText: t("editor.add_mapping"), add: () => ({ value: "", text: "" }), moves: true, changed: (items) => changed(items.length ? items : undefined),
    row: (one, change) => {
      const holder = h("div", { class: "mapping" });
      let now = one;
      const set = (next) => { now = next; change(now); };
      const bound = (key) => h("input", { type: "number", step: "any", placeholder: t(`editor.${key}`), "aria-label": t(`editor.${key}`), value: now.range?.[key] ?? "", oninput: (event) => set({ ...now, range: without(now.range ?? {}, key, event.currentTarget.value === "" ? undefined : Number(event.currentTarget.value)) }) });
      const fill = () => {
        const kind = kindOf(now);
        const { text = "", color } = now;
        holder.replaceChildren(
          h("select", { "aria-label": t("editor.mapping_kind"), onchange: (event) => { const next = event.currentTarget.value; set({ text, ...(color ? { color } : {}), [next]: next === "range" ? {} : next === "special" ? "null" : "" }); fill(); } }, KINDS.map((each) => h("option", { value: each, selected: each === kind }, t(`choice.${each}`)))),
          ...(kind === "range" ? [bound("from"), bound("to")] : kind === "special"
            ? [h("select", { "aria-label": t("choice.special"), onchange: (event) => set({ ...now, special: event.currentTarget.value }) }, ["null", "nan", "null_or_nan", "true", "false", "empty"].map((each) => h("option", { value: each, selected: each === now.special }, t(`choice.${each}`))))]
            : [h("input", { "aria-label": t(`choice.${kind}`), placeholder: t(`choice.${kind}`), value: now[kind] ?? "", oninput: (event) => set({ ...now, [kind]: event.currentTarget.value }) })]),
          h("input", { "aria-label": t("editor.mapping_text"), placeholder: t("editor.mapping_text"), value: typeof text === "object" ? text.en : text, oninput: (event) => set({ ...now, text: event.currentTarget.value }) }),
          colourField("", color, (next) => set(without(now, "color", next)), { empty: t("field.no_colour") }),
        );
      };
      fill();
      return [holder];
    },
  })];
}
export function linkForm(links, changed, { keep = false } = {}) {
  return [listOf({
    items: links ?? [], addText: t("editor.add_link"), add: () => ({ title: "", url: "" }), moves: true, changed: (items) => changed(items.length ? items : undefined),
    row: (one, change) => {
      let now = one;
      const set = (key) => (value) => { now = without(now, key, value || undefined); change(now); };
      return [h("div", { class: "mapping" },
        textField(t("dashboard.title"), typeof one.title === "object" ? one.title.en : one.title, set("title")), textField("URL", one.url, set("url"), { placeholder: "/logs?q=$job" }), keep ? textField(t("editor.link_dashboard"), one.dashboard, set("dashboard")) : null,
        ...(keep ? [toggleField(t("editor.keep_time"), one.keep_time, set("keep_time")), toggleField(t("editor.keep_variables"), one.keep_variables, set("keep_variables"))] : []), toggleField(t("editor.new_tab"), one.new_tab, set("new_tab")))];
    },
  })];
}

// --- colours, overrides ---
const MODES = ["auto", "palette", "name", "fixed", "shades", "thresholds", "scale"];
export function colourForm(color, changed) {
  let now = { ...color };
  const set = (key, value) => { now = without(now, key, value); changed(Object.keys(now).length ? now : undefined); };
  return pair(selectField(t("option.color"), now.mode, MODES.map((one) => [one, t(`choice.color_${one}`)]), (mode) => set("mode", mode)), colourField(t("option.fixed_color"), now.color, (value) => set("color", value), { empty: t("field.no_colour") }));
}
const PROPERTIES = {
  display_name: "text", unit: "unit", decimals: "number", min: "number", max: "number", color: "color", draw: FIELDS.timeseries[0], interpolation: FIELDS.timeseries[1], line_width: "number", line_style: FIELDS.timeseries[3], fill: "number", fill_below: "text", stacking: FIELDS.timeseries[8],
  stack_group: "text", axis: FIELDS.axis[0], axis_label: "text", axis_scale: FIELDS.axis[2], negative: "toggle", hide_in: "list", points: FIELDS.timeseries[6], threshold_style: FIELDS.timeseries[10], thresholds: "thresholds", mappings: "mappings", cell: FIELDS.table[0], align: FIELDS.table[1], width: "number", filterable: "toggle", hidden: "toggle", links: "links",
};
function property(key, value, changed) {
  const kind = PROPERTIES[key];
  if (Array.isArray(kind)) return [control(kind, value, (next) => changed(next ?? kind[2][0]))];
  if (kind === "unit") return [unitField(t("option.unit"), value, (next) => changed(next ?? ""))];
  if (kind === "color") return [colourForm(value, (next) => changed(next ?? { mode: "auto" }))];
  if (kind === "thresholds") return thresholdForm(value, (next) => changed(next ?? { steps: [] }));
  if (kind === "mappings") return mappingForm(value, (next) => changed(next ?? []));
  if (kind === "links") return linkForm(value, (next) => changed(next ?? []));
  return [control([key, kind], value, (next) => changed(next ?? (kind === "text" ? "" : kind === "toggle" ? false : kind === "list" ? [] : 0)))];
}
const MATCHES = ["name", "regex", "ref", "type"];
/** @param {any[]} overrides @param {(items: any[] | undefined) => void} changed @param {string[]} names of the series that are there */
export function overrideForm(overrides, changed, names) {
  const listId = "override-names";
  return [h("datalist", { id: listId }, names.map((one) => h("option", { value: one }))), listOf({
    items: overrides ?? [], addText: t("editor.add_override"), add: () => ({ match: { name: names[0] ?? "" }, set: {} }), moves: true, changed: (items) => changed(items.length ? items : undefined),
    row: (one, change) => {
      const holder = h("div", { class: "override" });
      let now = one;
      const set = (next) => { now = next; change(now); };
      const fill = () => {
        const kind = now.match.names ? "names" : (MATCHES.find((each) => now.match[each] !== undefined && now.match[each] !== null) ?? "name");
        const value = kind === "names" ? now.match.names.join(", ") : now.match[kind];
        holder.replaceChildren(
          h("div", { class: "form-pair" },
            selectField(t("editor.match"), kind, [...MATCHES, ...(kind === "names" ? ["names"] : [])].map((each) => [each, t(`choice.match_${each}`)]), (next) => { set({ ...now, match: { [next ?? "name"]: "" } }); fill(); }),
            kind === "type" ? selectField(t("choice.match_type"), value, ["number", "string", "time", "boolean", "other"].map((each) => [each, t(`choice.${each}`)]), (next) => set({ ...now, match: { type: next ?? "number" } }))
              : textField(t(`choice.match_${kind}`), value, (text) => set({ ...now, match: kind === "names" ? { names: (text ?? "").split(",").map((each) => each.trim()).filter(Boolean) } : { ...now.match, [kind]: text ?? "" } }), { list: kind === "name" ? listId : undefined })),
          ...Object.keys(now.set ?? {}).filter((key) => PROPERTIES[key]).map((key) => h("div", { class: "override-set" }, ...property(key, now.set[key], (next) => set({ ...now, set: { ...now.set, [key]: next } })),
            h("button", { type: "button", class: "icon-button", "aria-label": t("field.remove"), onclick: () => { set({ ...now, set: without(now.set, key, undefined) }); fill(); } }, "×"))),
          h("select", { "aria-label": t("editor.add_property"), onchange: (event) => { const key = event.currentTarget.value; if (!key) return; const kindOfKey = PROPERTIES[key]; set({ ...now, set: { ...now.set, [key]: Array.isArray(kindOfKey) ? kindOfKey[2][0] : kindOfKey === "toggle" ? true : kindOfKey === "number" ? 0 : kindOfKey === "color" ? { mode: "fixed", color: "red" } : kindOfKey === "thresholds" ? { steps: [{ color: "green" }] } : kindOfKey === "text" || kindOfKey === "unit" ? "" : [] } }); fill(); } },
            h("option", { value: "" }, t("editor.add_property")), Object.keys(PROPERTIES).filter((key) => !(key in (now.set ?? {}))).map((key) => h("option", { value: key }, t(`option.${key}`)))),
        );
      };
      fill();
      return [holder];
    },
  })];
}

// --- transformations ---
const TRANSFORM_FIELDS = {
  organize: [["hide", "list"], ["order", "list"], ["rename", "map"]], merge: [], concatenate: [], reduce: [["calcs", "calcs"], ["labels_as_columns", "toggle"], ["columns", "toggle"]], filter_columns: [["names", "list"], ["regex", "text"], ["exclude", "toggle"]],
  filter_queries: [["refs", "list"], ["exclude", "toggle"]], filter_rows: [["conditions", "conditions"], ["match", "select", ["all", "any"]], ["exclude", "toggle"]], sort: [["by", "sorts"]], limit: [["count", "number", { min: 0 }]], calculate: [["left", "text"], ["op", "select", ["", "+", "-", "*", "/", "%"]], ["right", "text"], ["name", "text"], ["replace", "toggle"]],
  group_by: [["fields", "groupings"]], join: [["field", "text"], ["mode", "select", ["outer", "inner"]]], labels_as_columns: [["value_label", "text"], ["keep", "list"]], rename: [["regex", "text"], ["replacement", "text"]], series_as_rows: [],
};
function transformControl(one, value, changed) {
  const [key, kind] = one;
  const name = t(`option.${key}`);
  if (kind === "map") return textField(name, Object.entries(value ?? {}).map(([a, b]) => `${a} = ${b}`).join("\n"), (text) => changed(Object.fromEntries((text ?? "").split("\n").map((line) => line.split("=").map((part) => part.trim())).filter(([a, b]) => a && b))), { lines: 3, placeholder: "Value #A = CPU" });
  if (kind === "sorts") return textField(name, (value ?? []).map((each) => `${each.descending ? "-" : ""}${each.field}`).join(", "), (text) => changed((text ?? "").split(",").map((each) => each.trim()).filter(Boolean).map((each) => (each.startsWith("-") ? { field: each.slice(1), descending: true } : { field: each }))), { placeholder: "-Value, instance" });
  if (kind === "conditions") {
    return textField(name, (value ?? []).map((each) => `${each.field} ${each.op ?? "="} ${each.value ?? ""}`).join("\n"), (text) => changed((text ?? "").split("\n").flatMap((line) => { const [, field, op, operand] = /^(.+?)\s*(>=|<=|!=|=|>|<|\bregex\b|\bnull\b|\bnot_null\b)\s*(.*)$/.exec(line) ?? []; return field ? [{ field: field.trim(), op, value: operand !== "" && !Number.isNaN(Number(operand)) ? Number(operand) : operand }] : []; })), { lines: 3, placeholder: "Value > 0" });
  }
  if (kind === "groupings") return textField(name, (value ?? []).map((each) => (each.group ? each.field : `${each.field}: ${(each.calcs ?? []).join(" ")}`)).join("\n"), (text) => changed((text ?? "").split("\n").map((line) => line.trim()).filter(Boolean).map((line) => { const [field, some] = line.split(/:\s*/); return some === undefined ? { field, group: true } : { field, calcs: some.split(/\s+/).filter((each) => REDUCERS.includes(each)) }; })), { lines: 3, placeholder: "instance\nValue: mean max" });
  return control(kind === "select" ? [key, kind, one[2]] : one, value, changed);
}
export function transformationForm(transformations, changed) {
  return [listOf({
    items: transformations ?? [], addText: t("editor.add_transformation"), add: () => ({ type: "organize" }), moves: true, changed: (items) => changed(items.length ? items : undefined),
    row: (one, change) => {
      const holder = h("div", { class: "override" });
      let now = one;
      const fill = () => holder.replaceChildren(
        h("select", { "aria-label": t("editor.transformation"), onchange: (event) => { now = { type: event.currentTarget.value }; change(now); fill(); } }, Object.keys(TRANSFORM_FIELDS).map((each) => h("option", { value: each, selected: each === now.type }, t(`transform.${each}`)))),
        ...(TRANSFORM_FIELDS[now.type] ?? []).map((each) => transformControl(each, now[each[0]], (value) => { now = without(now, each[0], value); change(now); })));
      fill();
      return [holder];
    },
  })];
}
