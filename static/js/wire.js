// The socket's bedside: back from the cache, away for a while, gone for good; and failed requests.
import { say } from "./aloud.js";

const words = document.body.dataset;
const GRACE = 3000;
let timer = 0;

function notice(text) {
  let line = document.querySelector(".connection");
  if (!text) return line?.remove();
  if (!line) {
    line = document.createElement("p");
    line.className = "connection";
    document.body.append(line);
  }
  line.textContent = text;
  return say(text);
}

function away(text, wait) {
  clearTimeout(timer);
  timer = setTimeout(notice, wait, text);
}

// The browser's back/forward cache closes the socket and wakes the page stale and deaf: put a fresh wire in.
addEventListener("pageshow", event => {
  const old = event.persisted && document.getElementById("wire");
  if (!old) return;
  const fresh = old.cloneNode(false);
  fresh.removeAttribute("data-htmx-powered");
  old.replaceWith(fresh);
  window.htmx.process(fresh);
});

document.addEventListener("htmx:ws:after:connection", () => { clearTimeout(timer); notice(""); });
document.addEventListener("htmx:ws:close", event => {
  const { code, reason } = event.detail;
  // A hidden tab pauses on purpose, and an element that was taken away needs no words.
  if (reason === "removed" || document.hidden) return;
  const forGood = code >= 4000;
  if (forGood || !timer || !document.querySelector(".connection")) {
    away(forGood ? words.notLive : words.reconnecting, forGood ? 0 : GRACE);
  }
});

document.addEventListener("htmx:response:error", event => {
  if ((event.detail.ctx?.response?.status ?? 500) < 500) return;
  notice(words.trouble);
  away("", 8000);
});

// Server-sent words: <p data-say="a reply has arrived"> inside a fragment is spoken once and never drawn.
document.addEventListener("htmx:after:swap", () => {
  document.querySelectorAll("[data-say]").forEach(element => {
    say(element.dataset.say, { urgent: "urgent" in element.dataset });
    element.removeAttribute("data-say");
  });
});
