// What the pages take from CodeMirror and from Prometheus' editor package: one module, web/static/vendor/codemirror/codemirror.js.
export { acceptCompletion, autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap, completionStatus } from "@codemirror/autocomplete";
export { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
export { bracketMatching, HighlightStyle, syntaxHighlighting, syntaxTree } from "@codemirror/language";
export { forceLinting, linter } from "@codemirror/lint";
export { EditorState, StateEffect } from "@codemirror/state";
export { EditorView, hoverTooltip, keymap, placeholder } from "@codemirror/view";
export { tags } from "@lezer/highlight";
export { newCompleteStrategy, promQLLanguage, PromQLExtension } from "@prometheus-io/codemirror-promql";
export { EqlRegex, EqlSingle, Neq, NeqRegex } from "@prometheus-io/lezer-promql";
