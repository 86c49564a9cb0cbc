// Kept frames of an image: a range field goes through them, a button plays them. Without it they stand in a row of links.
import { each } from "./arrivals.js";

// Milliseconds a frame stays; where motion is unwelcome nothing plays by itself, and slower when asked.
const BRISK = 350;
const CALM = 1200;

each("[data-strip]", strip => {
  const frames = [...strip.querySelectorAll(".frames img")];
  const range = strip.querySelector("input[type=range]");
  const view = strip.querySelector(".view");
  const button = strip.querySelector("button");
  if (frames.length < 2 || !range || !view || !button) return;
  const picture = view.querySelector("img");
  const caption = view.querySelector("figcaption");
  let timer = 0;
  range.min = 0;
  range.max = frames.length - 1;
  range.value = frames.length - 1;
  const show = () => {
    const place = Number(range.value);
    const frame = frames[place];
    picture.src = frame.dataset.large || frame.src;
    caption.textContent = frame.alt;
    frames.forEach(other => other.classList.toggle("now", other === frame));
    range.setAttribute("aria-valuetext", `${frame.alt}, ${place + 1} / ${frames.length}`);
  };
  const halt = () => { clearInterval(timer); timer = 0; button.textContent = button.dataset.play; };
  const step = () => {
    if (Number(range.value) === frames.length - 1 || !strip.isConnected) return halt();
    range.value = Number(range.value) + 1;
    return show();
  };
  const play = () => {
    if (Number(range.value) === frames.length - 1) { range.value = 0; show(); }
    timer = setInterval(step, matchMedia("(prefers-reduced-motion: reduce)").matches ? CALM : BRISK);
    button.textContent = button.dataset.pause;
  };
  range.addEventListener("input", () => { halt(); show(); });
  button.addEventListener("click", () => (timer ? halt() : play()));
  strip.querySelector(".frames").addEventListener("click", event => {
    const place = frames.indexOf(event.target.closest("a")?.querySelector("img"));
    if (place < 0 || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    halt();
    range.value = place;
    show();
  });
  strip.querySelector(".controls").hidden = false;
  view.hidden = false;
  strip.classList.add("on");
  halt();
  show();
});
