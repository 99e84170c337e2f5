// One colour a service, by its place among all services: the same on the list and in a trace.
export function palette(names) {
  const places = new Map([...new Set(names)].sort().map((name, index) => [name, index]));
  return (name) => `c${(places.get(name) ?? 0) % 8}`;
}
