// Elements, numbers and words, as all views write them.

/** An element with attributes (`class`, `on: {event: function}`, others by name; false and null are left out) and children. */
export function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "on") for (const [event, act] of Object.entries(value)) made.addEventListener(event, act);
    else if (value !== null && value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

export const byId = (id) => document.getElementById(id);

const figures = new Intl.NumberFormat("en");
export const number = (value) => figures.format(value);
export const counted = (count, one, many = `${one}s`) => `${number(count)} ${count === 1 ? one : many}`;
export const words = (name) => (name ?? "").replaceAll("_", " ");
export const initial = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** A link to another site: followed only when somebody chooses it, and without saying where from. */
export function outward(address, text) {
  if (!/^https?:\/\//.test(address ?? "")) return document.createTextNode(text);
  return el("a", { href: address, rel: "noreferrer noopener", target: "_blank" }, text, el("span", { class: "unseen" }, " (another site)"));
}

/** What the page can't go on without: said aloud, and thrown. */
export function fault(error) {
  const shown = byId("fault");
  shown.textContent = `${error.message ?? error}`;
  shown.hidden = false;
}
