// The composer: a draft kept per image, Ctrl+Enter, chips that add words, strength in words, at hand on phones.
import { each } from "./arrivals.js";

const store = {
  read(key) { try { return localStorage.getItem(key) ?? ""; } catch { return ""; } },
  write(key, text) {
    try {
      if (text) localStorage.setItem(key, text);
      else localStorage.removeItem(key);
    } catch { /* storage is full or forbidden: the draft lives in the field alone */ }
  },
};

function keepDraft(form, field) {
  const key = `draft:${form.dataset.composer}`;
  if (!form.dataset.composer) return;
  // What the server sent back (after a 422) is newer than any draft.
  if (!field.value) field.value = store.read(key);
  field.addEventListener("input", () => store.write(key, field.value));
  let sent = "";
  form.addEventListener("submit", () => { sent = field.value; });
  form.addEventListener("htmx:after:request", event => {
    if (event.target !== form || (event.detail.ctx?.response?.status ?? 500) >= 400) return;
    // What was typed while it was sent is the next draft.
    store.write(key, field.value === sent ? "" : field.value);
    field.value = "";
  });
}

function addWord(field, word) {
  const text = field.value.trimEnd();
  const joint = /[\u3000-\u9fff]$/.test(text) ? "，" : ", ";
  field.value = text ? text + joint + word : word;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  field.focus();
}

function speakStrength(range) {
  const words = (range.dataset.words ?? "").split("|");
  const output = range.closest("label, .strength")?.querySelector("output");
  if (words.length < 2 || !output) return;
  const low = Number(range.min || 0);
  const high = Number(range.max || 100);
  const tell = () => {
    const share = (Number(range.value) - low) / (high - low);
    output.textContent = words[Math.min(words.length - 1, Math.floor(share * words.length))];
    range.setAttribute("aria-valuetext", output.textContent);
  };
  range.addEventListener("input", tell);
  tell();
}

// Once the whole composer has scrolled away upwards it stays at the lower edge; a gap keeps its place in the page.
// Everything below the window counts as in view, so that a jump past it is noticed too.
function stayAtHand(form) {
  if (!("IntersectionObserver" in window) || form.closest("[data-item]")) return;
  const place = document.createElement("div");
  place.className = "composer-place";
  // A composer that came back from the server brings its own place.
  form.parentElement.querySelectorAll(":scope > .composer-place").forEach(old => old.remove());
  form.before(place);
  const watch = () => new IntersectionObserver(([entry]) => {
    const passed = !entry.isIntersecting && entry.boundingClientRect.top < 0;
    if (passed === form.classList.contains("afloat")) return;
    const narrow = matchMedia("(max-width: 48rem)").matches;
    place.style.blockSize = passed && narrow ? `${form.offsetHeight}px` : "0";
    form.classList.toggle("afloat", passed && narrow);
  }, { rootMargin: `${form.offsetHeight}px 0px 1000000px 0px` }).observe(place);
  requestAnimationFrame(watch);
}

each("form[data-composer]", form => {
  const field = form.querySelector("textarea");
  if (!field) return;
  keepDraft(form, field);
  stayAtHand(form);
  field.addEventListener("keydown", event => {
    if (event.isComposing) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); form.requestSubmit(); }
    if (event.key === "Escape") field.blur();
  });
  form.addEventListener("click", event => {
    const chip = event.target.closest("[data-word]");
    if (!chip) return;
    // Without this module the chip sends the form, and the server adds the word.
    event.preventDefault();
    addWord(field, chip.dataset.word);
  });
});
each("input[type=range][data-words]", speakStrength);
