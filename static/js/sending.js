// What one has just sent: its card comes into sight, and the line in the composer says when the picture is there.
import { each } from "./arrivals.js";

const still = matchMedia("(prefers-reduced-motion: reduce)");

each("[data-sent]", line => {
  const card = () => document.getElementById(`reply-${line.dataset.sent}`);
  const show = () => card()?.scrollIntoView({ block: "nearest", behavior: still.matches ? "instant" : "smooth" });
  // The card comes with the same answer as the line, but behind it.
  setTimeout(show, 50);
  const watch = new MutationObserver(() => {
    if (!line.isConnected) return watch.disconnect();
    const one = card();
    if (!one || one.hasAttribute("aria-busy")) return;
    watch.disconnect();
    if (one.matches(".failed, .stopped")) return line.remove();
    line.firstElementChild.textContent = line.dataset.arrived;
  });
  watch.observe(document.body, { subtree: true, childList: true, attributeFilter: ["aria-busy"] });
});
