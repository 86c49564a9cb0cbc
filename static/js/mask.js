// Painting where an image may change, on the image itself: mouse, pen and finger. Two fingers zoom and never paint.
import { each } from "./arrivals.js";
import { say } from "./aloud.js";
import { isTyping } from "./keys.js";
import { asFile, asStep, covered, draw, replay } from "./strokes.js";

// Longer side of the canvas: small pictures get a finer mask than they have pixels, or a brush would be a staircase.
const LEAST = 512;
const SIDE = 1024;
// What is painted lives as long as the page, through every answer of the server: image -> its draft.
const drafts = new Map();
let current = null;

const fitted = picture => {
  const wide = picture.naturalWidth || picture.width;
  const high = picture.naturalHeight || picture.height;
  const side = Math.max(wide, high);
  const scale = Math.min(SIDE, Math.max(LEAST, side)) / side;
  return [Math.max(1, Math.round(wide * scale)), Math.max(1, Math.round(high * scale))];
};

class Easel {
  constructor(room, form) {
    this.room = room;
    this.form = form;
    this.details = room.closest("details");
    this.canvas = room.querySelector("canvas");
    this.view = this.canvas.getContext("2d");
    this.picture = room.querySelector("img");
    this.input = form.querySelector("input[name=mask]");
    this.feather = form.querySelector("input[name=mask_feather]");
    this.size = room.querySelector("[data-size]");
    this.mask = document.createElement("canvas").getContext("2d");
    this.draft = drafts.get(room.dataset.mask) ?? { steps: [], undone: [] };
    drafts.set(room.dataset.mask, this.draft);
    this.erase = false;
    this.stroke = null;
    this.fingers = new Set();
    this.spoilt = false;
    this.ours = false;
  }

  begin() {
    this.room.hidden = false;
    this.resize();
    this.picture.addEventListener("load", () => this.resize());
    this.listen();
    this.follow(document.getElementById("draft-stage"));
    if (this.draft.steps.length) {
      this.details.open = true;
      this.form.querySelector(".kept")?.remove();
    } else {
      this.takeKept();
    }
  }

  // In a draft the next turn edits the step one is at: that is what is painted on, whatever the page began with.
  follow(stage) {
    if (!stage) return;
    const shape = this.picture.getAttribute("width") / this.picture.getAttribute("height");
    const look = () => {
      const step = stage.querySelector("img.later, .stage > img");
      if (step && step.src !== this.picture.src) this.picture.src = step.src;
    };
    new MutationObserver(look).observe(stage, { childList: true, subtree: true, attributeFilter: ["src"] });
    // A mask has the shape of the image: a step of another one is edited whole.
    this.picture.addEventListener("load", () => {
      this.details.hidden = Math.abs(this.picture.naturalWidth / this.picture.naturalHeight / shape - 1) > 0.02;
    });
  }

  resize() {
    const [width, height] = fitted(this.picture);
    for (const canvas of [this.canvas, this.mask.canvas]) Object.assign(canvas, { width, height });
    // The board has the picture's own shape, however low the window is: what is painted lies where it is seen.
    this.canvas.parentElement.style.setProperty("--ratio", width / height);
    this.replay();
  }

  listen() {
    const on = (target, name, run, options) => target.addEventListener(name, run.bind(this), options);
    on(this.canvas, "pointerdown", this.down);
    on(this.canvas, "pointermove", this.move);
    on(this.canvas, "pointerup", this.up);
    on(this.canvas, "pointercancel", this.drop);
    on(this.canvas, "pointerleave", () => { this.cursor = null; this.redraw(); });
    on(this.canvas, "contextmenu", event => event.preventDefault());
    on(this.details, "click", this.press);
    on(this.details, "focusin", () => { current = this; });
    on(this.details, "toggle", () => { if (this.details.open) { current = this; this.resize(); } });
    on(this.input, "change", this.takeFile);
    this.feather?.addEventListener("input", () => this.redraw());
    // In the capturing phase: htmx reads the form's fields when the event has come down.
    this.form.addEventListener("submit", () => this.fill(), true);
    this.form.addEventListener("htmx:after:request", event => this.sent(event));
    // Enter in a field of the rectangle means the rectangle, not the whole form.
    this.sides.forEach(field => field.addEventListener("keydown", event => {
      if (event.key === "Enter") { event.preventDefault(); this.rectangle(); }
    }));
  }

  // Pointers.

  at(event) {
    const box = this.canvas.getBoundingClientRect();
    const press = event.pointerType === "pen" && event.pressure ? 0.3 + 0.7 * event.pressure * 2 : 1;
    const width = Number(this.size.value) / 100 * Math.min(press, 1.7);
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height, width];
  }

  down(event) {
    current = this;
    this.fingers.add(event.pointerId);
    if (this.fingers.size > 1) { this.spoilt = true; this.drop(event, false); return; }
    const rubber = event.pointerType === "pen" && event.buttons & 32;
    if (this.spoilt || (event.button !== 0 && !rubber)) return;
    event.preventDefault();
    this.canvas.setPointerCapture(event.pointerId);
    this.stroke = { kind: "stroke", erase: this.erase || Boolean(rubber), points: [] };
    this.extend([event]);
  }

  move(event) {
    this.cursor = this.at(event);
    if (!this.stroke || this.spoilt) { this.redraw(); return; }
    const parts = event.getCoalescedEvents?.() ?? [];
    this.extend(parts.length ? parts : [event]);
  }

  extend(events) {
    const { points, erase } = this.stroke;
    const from = points.length;
    points.push(...events.map(each => this.at(each)));
    draw(this.mask, points, { from, erase });
    this.redraw();
  }

  up(event) {
    this.fingers.delete(event.pointerId);
    if (this.stroke) {
      const step = this.stroke;
      this.stroke = null;
      this.add(step, { drawn: true });
    }
    if (!this.fingers.size) this.spoilt = false;
  }

  // A second finger, or the browser itself, took the stroke away: nothing of it stays.
  drop(event, gone = true) {
    if (gone) this.fingers.delete(event.pointerId);
    if (!this.fingers.size) this.spoilt = false;
    if (!this.stroke) return;
    this.stroke = null;
    this.replay();
  }

  // Steps.

  add(step, { drawn = false } = {}) {
    this.draft.steps.push(step);
    this.draft.undone = [];
    if (!drawn) replay(this.mask, this.draft.steps);
    this.tell();
  }

  undo() {
    const step = this.draft.steps.pop();
    if (step) { this.draft.undone.push(step); this.replay(); this.tell(); }
  }

  redo() {
    const step = this.draft.undone.pop();
    if (step) { this.draft.steps.push(step); this.replay(); this.tell(); }
  }

  replay() {
    replay(this.mask, this.draft.steps);
    this.redraw();
    this.count();
  }

  clear() { if (covered(this.mask.canvas) > 0) this.add({ kind: "clear" }); }

  invert() { this.add({ kind: "invert" }); }

  get sides() { return ["x", "y", "w", "h"].map(side => this.form.querySelector(`input[name=mask_${side}]`)); }

  rectangle() {
    const values = this.sides.map(field => field.valueAsNumber);
    const poor = this.sides.find((field, place) => !field.checkValidity() || Number.isNaN(values[place]));
    if (poor) { poor.required = true; poor.reportValidity(); poor.required = false; return; }
    this.add({ kind: "rectangle", box: values.map(value => value / 100) });
    this.sides.forEach(field => { field.value = ""; });
  }

  // Pictures that are masks.

  async takeFile() {
    this.ours = false;
    const [file] = this.input.files;
    if (!file) return;
    // What cannot be read here is the server's to refuse, in words.
    const bitmap = await createImageBitmap(file).catch(() => null);
    if (!bitmap) return;
    const { width, height } = this.mask.canvas;
    if (Math.abs(bitmap.width * height / width - bitmap.height) > 2 + bitmap.height / 100) {
      say(this.room.dataset.unlike, { urgent: true });
      return;
    }
    this.input.value = "";
    this.add(asStep(bitmap, width, height));
  }

  async takeKept() {
    const kept = this.form.querySelector(".kept");
    const source = kept?.querySelector("img")?.src;
    if (!source) return;
    try {
      const response = await fetch(source);
      if (!response.ok) return;
      const bitmap = await createImageBitmap(await response.blob());
      await this.picture.decode().catch(() => {});
      this.resize();
      // Its edge is soft already.
      if (this.feather) this.feather.value = "0";
      this.add(asStep(bitmap, this.mask.canvas.width, this.mask.canvas.height));
      kept.remove();
    } catch { /* it stays beside the easel, and is sent as it is */ }
  }

  // The form.

  fill() {
    this.rectangleIfGiven();
    const painted = covered(this.mask.canvas) > 0 && !this.details.hidden;
    if (!painted) {
      if (this.ours) this.input.value = "";
      return;
    }
    const holder = new DataTransfer();
    holder.items.add(asFile(this.mask.canvas));
    this.input.files = holder.files;
    this.ours = true;
  }

  rectangleIfGiven() {
    const given = this.sides.every(field => field.value && field.checkValidity());
    if (given && covered(this.mask.canvas) > 0) this.rectangle();
  }

  sent(event) {
    if (event.target !== this.form || (event.detail.ctx?.response?.status ?? 500) >= 400) return;
    drafts.delete(this.room.dataset.mask);
    if (current === this) current = null;
  }

  // What is seen and heard.

  redraw() {
    if (this.due) return;
    this.due = requestAnimationFrame(() => { this.due = 0; this.paint(); });
  }

  paint() {
    const { view, canvas } = this;
    const { width, height } = canvas;
    const soft = Number(this.feather?.value || 0) / 100 * Math.max(width, height) / 2.56;
    view.clearRect(0, 0, width, height);
    view.filter = soft > 0 ? `blur(${soft}px)` : "none";
    view.drawImage(this.mask.canvas, 0, 0);
    view.filter = "none";
    view.globalCompositeOperation = "source-in";
    view.fillStyle = this.hatching();
    view.fillRect(0, 0, width, height);
    view.globalCompositeOperation = "source-over";
    if (this.cursor) this.ring(this.cursor);
  }

  // Colour and stripes, dark and light: seen on every picture, and by those who do not see the colour.
  hatching() {
    const step = Math.max(4, Math.round(10 * this.canvas.width / (this.canvas.clientWidth || this.canvas.width)));
    const tile = Object.assign(document.createElement("canvas"), { width: step, height: step });
    const pen = tile.getContext("2d");
    pen.globalAlpha = 0.45;
    pen.fillStyle = getComputedStyle(this.canvas).color;
    pen.fillRect(0, 0, step, step);
    pen.globalAlpha = 0.85;
    for (const [colour, shift] of [["black", 0], ["white", step / 5]]) {
      pen.strokeStyle = colour;
      pen.lineWidth = step / 6;
      pen.beginPath();
      for (const turn of [-1, 0, 1]) { pen.moveTo(turn * step + shift - step, 2 * step); pen.lineTo(turn * step + shift + 2 * step, -step); }
      pen.stroke();
    }
    return this.view.createPattern(tile, "repeat");
  }

  ring([x, y]) {
    const { width, height } = this.canvas;
    const radius = Number(this.size.value) / 200 * Math.max(width, height);
    for (const [colour, thick] of [["black", 3], ["white", 1.5]]) {
      this.view.beginPath();
      this.view.arc(x * width, y * height, radius, 0, 7);
      this.view.strokeStyle = colour;
      this.view.lineWidth = thick * width / (this.canvas.clientWidth || width);
      this.view.setLineDash(this.erase ? [6, 4] : []);
      this.view.stroke();
    }
    this.view.setLineDash([]);
  }

  count() {
    const share = covered(this.mask.canvas);
    const number = share > 0 && share < 0.01 ? "< 1" : Math.round(100 * share);
    const words = this.room.dataset;
    const text = share > 0 ? words.some.replace("{n}", number) : words.nothing;
    this.room.querySelector("output").textContent = text;
    this.details.querySelector("summary [data-share]").textContent = share > 0 ? `· ${number} %` : "";
    for (const [name, list] of [["undo", this.draft.steps], ["redo", this.draft.undone]]) {
      this.idle(name, !list.length);
    }
    this.idle("clear", !(share > 0));
    return text;
  }

  // A button that has nothing to do keeps the focus of whoever pressed it to the end.
  idle(name, is) { this.room.querySelector(`[data-do=${name}]`).setAttribute("aria-disabled", String(is)); }

  tell() {
    this.redraw();
    say(this.count());
  }

  press(event) {
    const button = event.target.closest("button");
    if (button?.dataset.tool) this.choose(button.dataset.tool);
    if (button?.dataset.do) this[button.dataset.do]?.();
  }

  choose(tool) {
    this.erase = tool === "eraser";
    this.room.querySelectorAll("[data-tool]").forEach(each => each.setAttribute("aria-pressed", each.dataset.tool === tool));
    this.redraw();
  }

  larger() { this.resizeBrush(1.25); }

  smaller() { this.resizeBrush(0.8); }

  resizeBrush(factor) {
    const before = Number(this.size.value);
    const after = factor > 1 ? Math.max(before + 1, before * factor) : Math.min(before - 1, before * factor);
    this.size.value = String(Math.round(after));
    this.redraw();
  }
}

each(".easel[data-mask]", room => {
  const form = room.closest("form");
  // Without a canvas the numbers and the file remain, as they do without scripts.
  if (!form || !room.querySelector("canvas").getContext?.("2d")) return;
  new Easel(room, form).begin();
});

// Single letters are pressed by keys.js; these need a modifier, or are another name of one.
addEventListener("keydown", event => {
  if (!current?.room.isConnected || !current.details.open || isTyping(event)) return;
  const letter = event.key.toLowerCase();
  const command = (event.ctrlKey || event.metaKey) && !event.altKey;
  if (command && (letter === "z" || letter === "y")) {
    event.preventDefault();
    if (letter === "y" || event.shiftKey) current.redo();
    else current.undo();
  } else if (!command && event.key === "=") {
    current.larger();
  }
});
