// An address that shows others what is seen now: with the ends of the range as they are at this moment.
/** @param {any} page @param {string | null} [panel] @param {boolean} [absolute] */
export function shareLink(page, panel = null, absolute = true) {
  const address = new URL(location.href);
  for (const name of ["edit", "view", "kiosk", "live"]) address.searchParams.delete(name);
  if (absolute) {
    const [from, to] = page.bounds().map(Math.round);
    address.searchParams.delete("range");
    address.searchParams.set("from", String(from));
    address.searchParams.set("to", String(to));
  }
  for (const [name, one] of Object.entries(page.chosen)) {
    address.searchParams.delete(`var-${name}`);
    for (const value of one.all ? ["$__all"] : one.values) address.searchParams.append(`var-${name}`, value);
  }
  if (panel) address.searchParams.set("view", panel);
  return address.href;
}
