// Choosing a picture by drop, paste or picker; a look at it before it is sent; progress while it is.
import { each } from "./arrivals.js";
import { say } from "./aloud.js";

const formOf = zone => zone.closest("form");

function complaint(zone, file) {
  const words = zone.dataset;
  const limit = Number(words.maxBytes || 0);
  if (limit && file.size > limit) return words.tooLarge;
  // Some systems give pictures no type; the server looks at the bytes anyway.
  if (file.type && !file.type.startsWith("image/")) return words.notImage;
  return "";
}

function complain(zone, text) {
  let line = zone.parentElement.querySelector(".error[data-upload]");
  if (!line) {
    line = Object.assign(document.createElement("p"), { className: "error" });
    line.dataset.upload = "";
    line.setAttribute("role", "alert");
    zone.after(line);
  }
  line.textContent = text;
  line.hidden = !text;
}

function preview(zone, file) {
  const old = zone.querySelector("img.picked");
  if (old) { URL.revokeObjectURL(old.src); old.remove(); }
  const picture = Object.assign(new Image(), { className: "picked", alt: "", src: URL.createObjectURL(file) });
  picture.addEventListener("error", () => picture.remove());
  zone.prepend(picture);
  const name = zone.querySelector("[data-picked-name]");
  if (name) name.textContent = file.name;
}

function take(zone, input, files) {
  const [file] = files;
  if (!file) return;
  const problem = complaint(zone, file);
  complain(zone, problem);
  if (problem) { input.value = ""; return; }
  if (input.files !== files) {
    const holder = new DataTransfer();
    holder.items.add(file);
    input.files = holder.files;
  }
  preview(zone, file);
  input.dispatchEvent(new CustomEvent("picked", { bubbles: true }));
}

function showProgress(form, words) {
  const line = Object.assign(document.createElement("p"), { className: "sending" });
  const text = document.createElement("span");
  const bar = Object.assign(document.createElement("progress"), { max: 1, value: 0 });
  text.textContent = words.sending ?? "";
  bar.setAttribute("aria-label", text.textContent);
  line.append(text, bar);
  form.querySelector("[type=submit], button:not([type=button])")?.before(line);
  return {
    at(share) {
      bar.value = share;
      if (share >= 1) { bar.removeAttribute("value"); text.textContent = words.looking ?? text.textContent; }
    },
    end() { line.remove(); },
  };
}

// An answer that is a page (success by redirect, or the form again with its messages) takes the place of this one.
function arrive(request) {
  const here = request.status < 400 && request.responseURL && request.responseURL !== location.href;
  if (here) { location.assign(request.responseURL); return; }
  const page = new DOMParser().parseFromString(request.responseText, "text/html");
  const fresh = page.querySelector("main");
  if (!fresh) return;
  document.querySelector("main").replaceWith(document.importNode(fresh, true));
  document.querySelector("main [aria-invalid=true], main .errorlist, main .notice, main h1")?.scrollIntoView({ block: "center" });
}

function send(form, zone) {
  const request = new XMLHttpRequest();
  const progress = showProgress(form, zone.dataset);
  const buttons = [...form.querySelectorAll("button, input[type=submit]")];
  const finish = () => { progress.end(); buttons.forEach(button => { button.disabled = false; }); };
  request.upload.addEventListener("progress", event => {
    if (event.lengthComputable) progress.at(event.loaded / event.total);
  });
  request.addEventListener("load", () => { finish(); arrive(request); });
  request.addEventListener("error", () => { finish(); complain(zone, zone.dataset.broken); say(zone.dataset.broken, { urgent: true }); });
  request.open("POST", form.action || location.href);
  request.setRequestHeader("Accept", "text/html");
  request.send(new FormData(form));
  buttons.forEach(button => { button.disabled = true; });
}

each(".drop[data-upload]", zone => {
  const input = zone.querySelector("input[type=file]");
  const form = formOf(zone);
  if (!input || !form) return;
  zone.classList.add("on");
  // Anywhere on the page will do: a picture let fall beside the field would be opened in the place of the form.
  const isHere = event => zone.isConnected && zone.checkVisibility() && event.dataTransfer?.types.includes("Files") && !event.target.closest?.("input[type=file]:not(.drop *)");
  document.addEventListener("dragover", event => { if (isHere(event)) { event.preventDefault(); zone.classList.add("over"); } });
  document.addEventListener("dragleave", event => { if (!event.relatedTarget) zone.classList.remove("over"); });
  document.addEventListener("drop", event => {
    if (!isHere(event)) return;
    event.preventDefault();
    zone.classList.remove("over");
    take(zone, input, event.dataTransfer.files);
  });
  input.addEventListener("change", () => take(zone, input, input.files));
  document.addEventListener("paste", event => {
    const files = event.clipboardData?.files;
    if (zone.isConnected && zone.checkVisibility() && files?.length) { event.preventDefault(); take(zone, input, files); }
  });
  form.addEventListener("submit", event => {
    // Without a file the ordinary way tells what is missing; htmx forms send themselves.
    if (event.defaultPrevented || !input.files.length || form.matches("[hx-post]")) return;
    event.preventDefault();
    send(form, zone);
  });
});
