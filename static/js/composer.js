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

// As if typed, so that Ctrl+Z takes it back; where a browser has no such command, set at once.
// A finger that taps a look wants no keyboard on the screen: there a second tap takes it back.
function type(field, from, to, text) {
  const byFinger = matchMedia("(pointer: coarse)").matches && document.activeElement !== field;
  if (!byFinger) {
    field.focus();
    field.setSelectionRange(from, to);
    if (document.execCommand(text ? "insertText" : "delete", false, text)) return;
  }
  field.setRangeText(text, from, to, "end");
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

const JOINT = /^(, |，)/;

// Once adds the words, once more takes them away.
function toggleWord(field, word) {
  const at = field.value.indexOf(word);
  if (at < 0) {
    const text = field.value.trimEnd();
    const joint = /[\u3000-\u9fff]$/.test(text) ? "，" : ", ";
    type(field, text.length, field.value.length, text ? joint + word : word);
    return;
  }
  const before = field.value.slice(0, at).match(/(, |，)$/)?.[0].length ?? 0;
  const after = before ? 0 : field.value.slice(at + word.length).match(JOINT)?.[0].length ?? 0;
  type(field, at - before, at + word.length + after, "");
}

// Only what differs is set, or the observer below would hear its own echo.
const set = (element, name, value) => { if (element.getAttribute(name) !== value) element.setAttribute(name, value); };

// The chip that says a look was read, in whatever words; not one whose words were just taken away.
const partOf = (form, look) => form.querySelector(`.part[data-operation="${look.dataset.operation}"]:not([data-leaving])`);

const isOn = (form, field, look) => {
  const part = partOf(form, look);
  return part ? !part.classList.contains("off") : field.value.includes(look.dataset.word);
};

const show = (form, field) => form.querySelectorAll(".look").forEach(look => {
  set(look, "aria-pressed", String(isOn(form, field, look)));
});

// A look that other words asked for goes, and comes back, by its chip; otherwise by its own words.
function toggleLook(form, field, look) {
  const part = partOf(form, look);
  const own = field.value.includes(look.dataset.word);
  if (part && (!own || part.classList.contains("off"))) {
    part.querySelector("button[value^='on:'], button[value^='off:']")?.click();
    return;
  }
  if (own && part) part.dataset.leaving = "";
  toggleWord(field, look.dataset.word);
}

// One stop for the Tab key; arrows walk along the strip.
function walk(strip, event) {
  const looks = [...strip.querySelectorAll(".look")];
  const at = looks.indexOf(document.activeElement);
  const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: looks.length - 1 }[event.key];
  if (at < 0 || to === undefined) return;
  event.preventDefault();
  event.stopPropagation();
  looks[(to + looks.length) % looks.length].focus();
}

function mind(strip) {
  const form = strip.closest("form");
  const field = form?.querySelector("textarea");
  if (!field) return;
  const settle = chosen => {
    const looks = [...strip.querySelectorAll(".look")];
    const stop = looks.includes(chosen) ? chosen : looks[0];
    looks.forEach(look => set(look, "tabindex", look === stop ? "0" : "-1"));
  };
  const look = () => { settle(document.activeElement); show(form, field); };
  strip.addEventListener("keydown", event => walk(strip, event));
  strip.addEventListener("focusin", event => settle(event.target));
  field.addEventListener("input", () => show(form, field));
  // Thumbnails come by a morph, which takes away what was set here.
  new MutationObserver(look).observe(strip, { childList: true, subtree: true, attributeFilter: ["aria-pressed", "tabindex"] });
  const plan = form.querySelector(".understood");
  if (plan) new MutationObserver(() => show(form, field)).observe(plan, { childList: true, subtree: true, attributeFilter: ["class"] });
  look();
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
  // What is watched stands behind the composer, however long that grows while one looks, and stays flat:
  // the gap itself would come into view again as soon as it is there.
  const mark = document.createElement("div");
  place.className = mark.className = "composer-place";
  // A composer that came back from the server brings its own place.
  form.parentElement.querySelectorAll(":scope > .composer-place").forEach(old => old.remove());
  form.before(place);
  form.after(mark);
  const watch = () => new IntersectionObserver(([entry]) => {
    const passed = !entry.isIntersecting && entry.boundingClientRect.top < 0;
    const floats = passed && matchMedia("(max-width: 48rem)").matches;
    if (floats === form.classList.contains("afloat")) return;
    // Whoever does not write looks at something else now: it folds up instead of covering that.
    if (floats && form.contains(document.activeElement) && !document.activeElement.matches("textarea")) document.activeElement.blur();
    place.style.blockSize = floats ? `${form.offsetHeight}px` : "0";
    form.classList.toggle("afloat", floats);
  }, { rootMargin: "0px 0px 1000000px 0px" }).observe(mark);
  requestAnimationFrame(watch);
}

// What sending costs was said for a moment that has passed once something that formed has ended or begun.
function keepCostTrue() {
  const busy = () => document.querySelectorAll("[data-item][aria-busy]").length;
  let before = busy();
  let due = 0;
  new MutationObserver(() => {
    if (busy() === before) return;
    before = busy();
    clearTimeout(due);
    due = setTimeout(() => document.querySelectorAll("form[data-composer]:has(.cost) textarea")
      .forEach(field => field.dispatchEvent(new Event("stale"))), 400);
  }).observe(document.body, { subtree: true, childList: true, attributeFilter: ["aria-busy"] });
}

keepCostTrue();
each(".looks", mind);
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
    if (chip.matches(".look")) toggleLook(form, field, chip);
    else toggleWord(field, chip.dataset.word);
    // Whoever came by key walks on from where they were.
    if (event.detail === 0 && chip.isConnected) chip.focus();
  });
});
each("input[type=range][data-words]", speakStrength);
