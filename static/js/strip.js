// Kept frames of a reply: a range field goes through them. Without it they stand in a row.
import { each } from "./arrivals.js";

each("[data-strip]", strip => {
  const frames = [...strip.querySelectorAll(".frames img")];
  const range = strip.querySelector("input[type=range]");
  const view = strip.querySelector("img.view");
  if (frames.length < 2 || !range || !view) return;
  range.min = 0;
  range.max = frames.length - 1;
  range.value = frames.length - 1;
  const show = () => {
    const frame = frames[Number(range.value)];
    view.src = frame.dataset.large || frame.src;
    frames.forEach(other => other.classList.toggle("now", other === frame));
    range.setAttribute("aria-valuetext", `${Number(range.value) + 1} / ${frames.length}`);
  };
  range.addEventListener("input", show);
  frames.forEach((frame, place) => frame.addEventListener("click", () => { range.value = place; show(); }));
  strip.classList.add("on");
  show();
});
