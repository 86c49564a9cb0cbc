// Before and after: a range field moves the cut; holding `c`, or the button that says so, shows the picture before.
import { each } from "./arrivals.js";
import { isTyping } from "./keys.js";

const stages = new Set();

function begin(stage) {
  const range = stage.querySelector("input[type=range]");
  const pictures = [...stage.querySelectorAll("img")];
  if (!range || pictures.length < 2) return;
  const show = () => stage.style.setProperty("--cut", `${range.value}%`);
  const start = () => { stage.classList.add("on"); show(); };
  // Side by side until both are there; and for good, if one is missing.
  Promise.all(pictures.map(picture => picture.decode())).then(start, () => {});
  range.addEventListener("input", show);
  stages.add({ stage, show });
}

const hold = () => stages.forEach(({ stage }) => stage.style.setProperty("--cut", "100%"));
const release = () => stages.forEach(({ show }) => show());

each("[data-compare]", begin);
addEventListener("keydown", event => {
  if (event.key === "c" && !event.ctrlKey && !event.metaKey && !event.altKey && !isTyping(event)) hold();
});
addEventListener("keyup", event => { if (event.key === "c") release(); });
addEventListener("blur", release);
each("[data-hold-compare]", button => {
  button.addEventListener("pointerdown", hold);
  ["pointerup", "pointercancel", "pointerleave"].forEach(name => button.addEventListener(name, release));
});
