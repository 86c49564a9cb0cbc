// Lists stay where they are. What is new is counted in a line; what is shown already is fetched anew, in its place.
import { each } from "./arrivals.js";
import { say } from "./aloud.js";

// What a list may show, by the ids of its elements. The server counts them too.
const SHOWN = /^(?:thread|reply|waits)-\d+$/;
const MOST = 100;
// After a gap of the bus every page is asked at once: they answer one after the other.
const SPREAD = 1500;
const news = new Set();
let first = true;
let timer = 0;

function shown() {
  const ids = [...document.querySelectorAll("main [id]")].map(element => element.id);
  return ids.filter(id => SHOWN.test(id)).slice(0, MOST).join(" ");
}

function ask() {
  timer = 0;
  const here = location.pathname + location.search;
  window.htmx.ajax("GET", here, { target: "#catch-up", swap: "none", values: { shown: shown() } });
}

each("[data-catch-up]", word => {
  word.remove();
  if (timer) return;
  timer = setTimeout(ask, first ? 0 : Math.random() * SPREAD);
  first = false;
});

each("#new-threads [data-new]", mark => {
  const line = mark.closest("#new-threads");
  const link = line.querySelector("a");
  const pk = mark.dataset.new;
  mark.remove();
  if (document.getElementById(`thread-${pk}`) || document.getElementById(`waits-${pk}`)) return;
  news.add(pk);
  link.textContent = (news.size === 1 ? line.dataset.one : line.dataset.many).replace("{n}", news.size);
  if (link.hidden) say(link.textContent);
  link.hidden = false;
});
