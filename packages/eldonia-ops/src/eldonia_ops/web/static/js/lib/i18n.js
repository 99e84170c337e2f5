// The texts of the page's language; the catalogs are served as modules made from web/i18n/*.json.
export const language = document.documentElement.lang;
// From the folder of all static files on: this module may have been joined with others into a file elsewhere.
const { default: texts } = await import(new URL(`../../js/i18n/${language}.js`, import.meta.url).href);

// `{name}` is a value, `{name|file|files}` the word for one or for any other number of them.
export const filled = (text, values) =>
  text.replace(/\{(\w+)(?:\|([^|{}]*)\|([^|{}]*))?\}/g, (whole, name, one, other) => {
    if (!(name in values)) return whole;
    const value = String(values[name]);
    return one === undefined ? value : value === "1" ? one : other;
  });

export function t(key, values = {}) {
  const text = texts[key];
  if (text === undefined) {
    console.error(`no text for ${key}`);
    return key;
  }
  return filled(text, values);
}

// For words that the platform may extend: the stored word itself where there is no text for it.
export const word = (group, value) => texts[`${group}.${value}`] ?? value;
