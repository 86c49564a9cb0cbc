// Set up every element that matches, now and when it arrives later in a fragment; each one once.
const seen = new WeakMap();
const wanted = [];

function setUp(element, { selector, begin }) {
  const done = seen.get(element) ?? new Set();
  if (done.has(selector)) return;
  seen.set(element, done.add(selector));
  begin(element);
}

function look(root) {
  for (const want of wanted) {
    if (root.matches?.(want.selector)) setUp(root, want);
    root.querySelectorAll?.(want.selector).forEach(element => setUp(element, want));
  }
}

export function each(selector, begin) {
  wanted.push({ selector, begin });
  document.querySelectorAll(selector).forEach(element => setUp(element, wanted.at(-1)));
}

new MutationObserver(changes => {
  for (const change of changes) change.addedNodes.forEach(node => { if (node.nodeType === 1) look(node); });
}).observe(document.documentElement, { childList: true, subtree: true });
