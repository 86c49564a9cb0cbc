// What must run before the first paint, and so is no module: how pages turn, and light or dark.

// A busy browser may show the next page before its transition is ready and drop that. It then rejects
// a promise that nobody holds; the page has turned all the same.
addEventListener("unhandledrejection", event => {
  if (event.reason instanceof DOMException && /^Transition was /.test(event.reason.message)) event.preventDefault();
});

// Light or dark for visitors without account.
(() => {
  const root = document.documentElement;
  // A member's choice stands in the page already and is the stronger one.
  if (root.dataset.theme) return;
  const read = () => { try { return localStorage.getItem("theme") || ""; } catch { return ""; } };
  const show = theme => { if (theme) root.dataset.theme = theme; else delete root.dataset.theme; };
  show(read());
  const label = button => {
    const words = button.dataset;
    button.textContent = `${words.label}${words[read() || "system"]}`;
  };
  addEventListener("DOMContentLoaded", () => document.querySelectorAll("[data-theme-next]").forEach(label));
  addEventListener("click", event => {
    const button = event.target.closest?.("[data-theme-next]");
    if (!button) return;
    const next = { "": "dark", dark: "light", light: "" }[read()];
    try { localStorage.setItem("theme", next); } catch { /* private window: it lasts for this page */ }
    show(next);
    label(button);
  });
})();
