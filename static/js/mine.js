// "Mine" in fragments that are the same for everybody: one rule for this member, good for all that arrives later.
const member = document.body.dataset.member;
if (/^\d+$/.test(member)) {
  const rules = new CSSStyleSheet();
  rules.replaceSync(`body:not(.moderates) .for-author:not(.by-${member}, .by-${member} *) { display: none; }`);
  document.adoptedStyleSheets.push(rules);
  document.body.classList.add("mine-known");
}
