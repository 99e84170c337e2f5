// The texts of the page's language; the catalogs are served as modules made from web/i18n/*.json.
export const language = document.documentElement.lang;
const { default: texts } = await import(`../i18n/${language}.js`);

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
