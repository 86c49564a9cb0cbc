// Single keys that press what is on the page: data-key="a" or data-key="g s". Absent in fields, and when switched off.
const WAIT = 1200;
let first = "";
let firstAt = 0;

export function isTyping(event) {
  const field = event.target.closest?.("input:not([type=range], [type=checkbox], [type=radio]), textarea, select, [contenteditable]");
  return event.isComposing || Boolean(field) || document.body.dataset.keys === "off";
}

const NAMES = { ArrowUp: "↑", ArrowDown: "↓", ArrowLeft: "←", ArrowRight: "→" };
const visible = element => element.checkVisibility?.({ visibilityProperty: true }) ?? true;
const holders = key => [...document.querySelectorAll(`[data-key="${CSS.escape(key)}"]`)].filter(visible);

function press(key) {
  const [target] = holders(key);
  if (!target) return false;
  if (target.matches("input, textarea, select")) target.focus();
  else target.click();
  return true;
}

function step(by) {
  const items = [...document.querySelectorAll("[data-item] a[href], a[data-item]")].filter(visible);
  const links = items.filter((link, place) => items.findIndex(other => other.closest("[data-item]") === link.closest("[data-item]")) === place);
  const at = links.findIndex(link => link.closest("[data-item]").contains(document.activeElement));
  links[Math.min(Math.max(at + by, 0), links.length - 1)]?.focus();
  return links.length > 0;
}

// `?` lists what the page can do, taken from the page itself.
function list() {
  const dialog = document.createElement("dialog");
  const rows = document.createElement("dl");
  rows.className = "keys";
  for (const element of [...document.querySelectorAll("[data-key]")].filter(visible)) {
    const key = document.createElement("dt");
    const name = document.createElement("dd");
    key.append(Object.assign(document.createElement("kbd"), { textContent: NAMES[element.dataset.key] ?? element.dataset.key }));
    name.textContent = element.getAttribute("aria-label") || (element.labels?.[0] ?? element).textContent.trim();
    rows.append(key, name);
  }
  const close = Object.assign(document.createElement("button"), { className: "button", textContent: "Esc" });
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  dialog.append(rows, close);
  document.body.append(dialog);
  dialog.showModal();
}

function handled(event) {
  const pair = first && Date.now() - firstAt < WAIT ? `${first} ${event.key}` : "";
  first = "";
  if (pair && press(pair)) return true;
  if (press(event.key)) return true;
  if (event.key === "j" || event.key === "k") return step(event.key === "j" ? 1 : -1);
  if (event.key === "?") { list(); return true; }
  if (document.querySelector(`[data-key^="${CSS.escape(event.key)} "]`)) { first = event.key; firstAt = Date.now(); }
  return false;
}

// Arrows belong to the range or radio that has the focus.
const ownsArrows = event => event.key.startsWith("Arrow") && event.target.matches?.("input, summary, dialog *");

addEventListener("keydown", event => {
  if (event.key === "Escape") return document.querySelectorAll("details.menu[open]").forEach(menu => menu.removeAttribute("open"));
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event) || ownsArrows(event) || document.querySelector("dialog[open]")) return undefined;
  if (handled(event)) event.preventDefault();
  return undefined;
});
addEventListener("click", event => {
  document.querySelectorAll("details.menu[open]").forEach(menu => { if (!menu.contains(event.target)) menu.removeAttribute("open"); });
  if (event.target.closest?.("[data-keys-open]")) list();
});
document.querySelectorAll("[data-keys-open]").forEach(button => { button.hidden = document.body.dataset.keys === "off"; });
