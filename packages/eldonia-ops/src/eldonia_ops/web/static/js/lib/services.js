// One colour a service, the same on every page.
export function serviceClass(name) {
  let hash = 7;
  for (const letter of name) hash = (hash * 31 + letter.codePointAt(0)) >>> 0;
  return `c${hash % 8}`;
}
