// The texts of the page's language; the catalogs are served as modules made from web/i18n/*.json.
export const language = document.documentElement.lang;
// From the folder of all static files on: this module may have been joined with others into a file elsewhere.
const { default: texts } = await import(new URL(`../../js/i18n/${language}.js`, import.meta.url).href);

export function t(key, values = {}) {
  const text = texts[key];
  if (text === undefined) {
    console.error(`no text for ${key}`);
    return key;
  }
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

// For words that the platform may extend: the stored word itself where there is no text for it.
export const word = (group, value) => texts[`${group}.${value}`] ?? value;
