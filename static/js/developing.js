// Frames a viewer has seen stay before the newest one: the server keeps only that, and browsers keep the rest.
const KEPT = 5;
const seen = new Map();

function lay(frames) {
  const card = frames.closest(".reply");
  const now = frames.querySelector("img.now")?.src;
  if (!card || !now) return;
  const known = seen.get(card.id) ?? [];
  if (known.at(-1) !== now) seen.set(card.id, [...known, now].slice(-KEPT));
  const earlier = seen.get(card.id).slice(0, -1);
  const squares = [...frames.querySelectorAll("span")];
  squares.forEach((square, place) => {
    const source = earlier.at(place - squares.length);
    const image = source && place >= squares.length - earlier.length ? `url("${source}")` : "";
    if (square.style.backgroundImage !== image) square.style.backgroundImage = image;
  });
}

// A morph changes attributes of what is there already, so arrivals alone would not tell.
const look = () => document.querySelectorAll(".reply .frames").forEach(lay);
new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributeFilter: ["src", "style"] });
look();
