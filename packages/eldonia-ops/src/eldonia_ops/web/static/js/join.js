// A one-time link has its secret behind the "#", which no server and no log of a proxy sees. It is sent once, in a form.
/** @type {HTMLFormElement} */
const form = document.querySelector("#open");
/** @type {HTMLElement} */
const over = document.querySelector("#over");

function enter() {
  const secret = location.hash.slice(1);
  if (!secret) return false;
  history.replaceState(null, "", location.pathname); // it stays neither in the address bar nor in the history
  /** @type {HTMLInputElement} */ (form.elements.namedItem("secret")).value = secret;
  form.submit();
  return true;
}

if (!enter()) over.hidden = false;
// Another link that is pasted into the same tab changes only what is behind the "#".
addEventListener("hashchange", enter);
