// Frames a viewer has seen stay before the newest one: the server keeps only that, and browsers keep the rest.
const KEPT = 5;
const seen = new Map();

function remember(item) {
  const now = item.querySelector("img.now, :scope > img[src*='/frame?']")?.src;
  if (!now) return;
  const known = seen.get(item.id) ?? [];
  if (known.at(-1) !== now) seen.set(item.id, [...known, now].slice(-KEPT));
}

function lay(frames) {
  const card = frames.closest("[data-item]");
  if (!card || !seen.has(card.id)) return;
  const earlier = seen.get(card.id).slice(0, -1);
  const squares = [...frames.querySelectorAll("span")];
  squares.forEach((square, place) => {
    const source = earlier.at(place - squares.length);
    const image = source && place >= squares.length - earlier.length ? `url("${source}")` : "";
    if (square.style.backgroundImage !== image) square.style.backgroundImage = image;
  });
}

// The last frame is gone a moment before the picture is there: what was seen does not become a blur again.
function hold(unseen) {
  const last = seen.get(unseen.closest("[data-item]")?.id)?.at(-1);
  const picture = unseen.querySelector("img");
  if (!last || !picture) return;
  if (picture.src !== last) picture.src = last;
  if (!unseen.classList.contains("seen")) unseen.classList.add("seen");
}

// A morph changes attributes of what is there already, so arrivals alone would not tell.
const look = () => {
  // What ended begins anew without a past, should it be tried again.
  for (const id of seen.keys()) if (!document.getElementById(id)?.hasAttribute("aria-busy")) seen.delete(id);
  document.querySelectorAll("[data-item][aria-busy]").forEach(remember);
  document.querySelectorAll("[data-item] .frames").forEach(lay);
  document.querySelectorAll("[data-item] .undeveloped").forEach(hold);
};
new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributeFilter: ["src", "style", "class"] });
look();
