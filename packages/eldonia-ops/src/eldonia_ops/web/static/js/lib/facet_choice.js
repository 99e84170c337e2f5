// Which fields are shown beside a search: those that divide what it found.
import { fieldName } from "./search_terms.js";

/** Fields of records themselves, asked for always. */
export const OWN_FACETS = ["level", "service", "component", "user_id", "hostname", "tag", "source"];
const ALWAYS = ["level", "service"];
// Last parts of names by which people divide records, whatever else is in them.
const USUAL_NAMES = /(^|[._])(status|status_code|code|method|path|route|url|uri|user|action|type|kind|event|logger|module|database|db|verb|namespace|pod|container)$/i;
// Of Elasticsearch's documents: how one is put together again, and which it is. They divide nothing for people.
const OF_DOCUMENTS = ["_source", "_id", "_version"];
const MOST = 4;
const LONGEST = 80;
const NUMBERS = 12; // a number with more values than this is a measurement

function* leavesOf(value, path) {
  for (const [key, item] of Object.entries(value)) {
    if (item && typeof item === "object") {
      if (!Array.isArray(item) && path.length < 5) yield* leavesOf(item, [...path, key]);
    } else if (item !== null && item !== "" && String(item).length <= LONGEST) yield [[...path, key], item];
  }
}

/**
 * The attributes of some records that divide them best, those with a usual name first.
 * @param {{metadata?: object}[]} records
 */
export function dividing(records, most = MOST) {
  const fields = new Map();
  for (const record of records) {
    for (const [path, value] of leavesOf(record.metadata ?? {}, ["metadata"])) {
      if (OF_DOCUMENTS.includes(path[1])) continue;
      const name = fieldName(path);
      const known = fields.get(name) ?? { name, count: 0, values: new Set(), numbers: true };
      known.count += 1;
      known.values.add(String(value));
      known.numbers &&= typeof value === "number";
      fields.set(name, known);
    }
  }
  return [...fields.values()]
    .map((one) => ({ ...one, usual: USUAL_NAMES.test(one.name) }))
    .filter(({ count, values, numbers, usual }) => values.size > 1 && values.size <= (usual ? Math.max(2, count / 2) : count / 2) && (usual || !numbers || values.size <= NUMBERS))
    .sort((a, b) => Number(b.usual) - Number(a.usual) || b.count - a.count || a.values.size - b.values.size || a.name.localeCompare(b.name))
    .slice(0, most)
    .map((one) => one.name);
}

/**
 * The facets worth their room: one value alone divides nothing, unless the search or the reader names the field.
 * @param {{field: string, values: {value: string, count: number}[]}[]} facets
 * @param {(field: string) => boolean} wanted
 */
export const worthShowing = (facets, wanted) => facets.filter((one) => ALWAYS.includes(one.field) || wanted(one.field) || one.values.length > 1);
