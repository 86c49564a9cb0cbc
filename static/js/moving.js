// A moving WebP plays by itself: a button holds it. Where motion is unwelcome the page begins with a still.
import { each } from "./arrivals.js";

each("[data-moving]", figure => {
  const image = figure.querySelector("img");
  const button = figure.querySelector("button");
  const still = figure.querySelector("source");
  if (!image || !button) return;
  const film = image.getAttribute("src");
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches && Boolean(still);
  const show = playing => {
    still?.remove();
    image.src = playing ? film : figure.dataset.still || film;
    button.textContent = playing ? button.dataset.pause : button.dataset.play;
    button.setAttribute("aria-pressed", String(playing));
  };
  show(!calm);
  button.hidden = !figure.dataset.still;
  button.addEventListener("click", () => show(button.getAttribute("aria-pressed") !== "true"));
});
