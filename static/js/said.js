// A picture that was just chosen: has it been said? The browser shrinks it, the server only looks.
import { each } from "./arrivals.js";

const SIDE = 512;

async function small(file) {
  const whole = await createImageBitmap(file);
  const scale = Math.min(1, SIDE / Math.max(whole.width, whole.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(16, Math.round(whole.width * scale));
  canvas.height = Math.max(16, Math.round(whole.height * scale));
  canvas.getContext("2d").drawImage(whole, 0, 0, canvas.width, canvas.height);
  whole.close();
  return new Promise(done => canvas.toBlob(done, "image/jpeg", .9));
}

async function look(zone, file, here) {
  const words = new FormData();
  words.append("file", await small(file), "look.jpg");
  if (zone.dataset.answers) words.append("to", zone.dataset.answers);
  const token = zone.closest("form").querySelector("[name=csrfmiddlewaretoken]").value;
  const response = await fetch(zone.dataset.said, { method: "POST", body: words, headers: { "X-CSRFToken": token } });
  const text = response.ok ? await response.text() : "";
  const page = new DOMParser().parseFromString(text, "text/html");
  const forms = page.querySelectorAll("form");
  // A form may not stand in a form: its button sends it from where it is.
  forms.forEach((form, place) => {
    form.id = `said-${place}`;
    form.querySelectorAll("button, input").forEach(field => field.setAttribute("form", form.id));
  });
  document.querySelectorAll("form.said-form").forEach(old => old.remove());
  forms.forEach(form => {
    form.classList.add("said-form");
    form.before(...form.childNodes);
    document.body.append(document.adoptNode(form));
  });
  here.replaceChildren(...page.body.childNodes);
}

each(".drop[data-said]", zone => {
  const here = zone.parentElement.querySelector("[data-said-here]");
  if (!here) return;
  let newest = null;
  zone.addEventListener("picked", event => {
    const file = newest = event.target.files[0];
    here.replaceChildren();
    // What this browser cannot draw, the server will look at when it is sent.
    if (file) look(zone, file, here).catch(() => {}).finally(() => { if (newest !== file) here.replaceChildren(); });
  });
});
