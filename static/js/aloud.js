// Say a sentence through the page's live regions; emptied first, so that the same words are said again.
export function say(words, { urgent = false } = {}) {
  const region = document.getElementById(urgent ? "assertive" : "polite");
  if (!region || !words) return;
  region.textContent = "";
  setTimeout(() => { region.textContent = words; }, 60);
}
