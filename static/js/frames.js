// The film strip shows the current frame, and a thumbnail hands its place to the picture it leads to.
import { each } from "./arrivals.js";

each(".lineage [aria-current]", frame => {
  const strip = frame.closest("ol");
  if (strip && strip.scrollWidth > strip.clientWidth) strip.scrollLeft = frame.offsetLeft - (strip.clientWidth - frame.clientWidth) / 2;
});
each(".bar nav [aria-current]", link => link.scrollIntoView({ block: "nearest", inline: "center" }));

addEventListener("click", event => {
  const link = event.target.closest?.("a[href]");
  const picture = link?.querySelector("img");
  if (!picture || event.ctrlKey || event.metaKey || event.shiftKey) return;
  document.querySelectorAll(".arriving").forEach(other => other.classList.remove("arriving"));
  picture.classList.add("arriving");
});
addEventListener("pagereveal", () => document.querySelector(".stage img.later, .stage > img, .stage > a > img")?.classList.add("arriving"));
addEventListener("pageshow", event => {
  if (event.persisted) document.querySelectorAll(".arriving:not(.stage *)").forEach(picture => picture.classList.remove("arriving"));
});
