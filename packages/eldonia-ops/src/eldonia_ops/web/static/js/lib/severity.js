// Which tone a severity, state or verdict is shown in.
const TONES = {
  critical: "bad", high: "bad", error: "bad", failed: "bad", down: "bad", firing: "bad", open: "bad", err: "bad",
  warning: "warn", medium: "warn", retry: "warn", pending: "warn", escalated: "warn",
  resolved: "ok", delivered: "ok", sent: "ok", ok: "ok", closed: "ok", active: "info",
  info: "info", low: "info", investigating: "info", silenced: "info", suppressed: "info", inhibited: "info", muted: "info",
};
export const tone = (value) => TONES[value] ?? "";
