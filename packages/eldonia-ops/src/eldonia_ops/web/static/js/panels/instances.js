// A panel's place keeps what was made in it, so that the next result updates it.
const kept = new WeakMap();

/**
 * @template T @param {HTMLElement} place @param {string} type
 * @param {() => T & {destroy?: () => void}} create @returns {T}
 */
export function instance(place, type, create) {
  const known = kept.get(place);
  if (known?.type === type) return known.made;
  release(place);
  const made = create();
  kept.set(place, { type, made });
  return made;
}
/** What was made in a place ends: observers, canvases. @param {HTMLElement} place */
export function release(place) {
  kept.get(place)?.made.destroy?.();
  kept.delete(place);
  place.replaceChildren();
}
