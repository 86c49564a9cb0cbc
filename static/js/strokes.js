// A mask as a list of steps, each plain data, painted white on a transparent canvas. Replaying them is undo.
// Coordinates are shares of the canvas, so that a draft fits whatever size it is shown in.

function dot(context, [x, y, width]) {
  context.beginPath();
  context.arc(x, y, width / 2, 0, 7);
  context.fill();
}

function scaled(context, [x, y, width]) {
  const { width: w, height: h } = context.canvas;
  return [x * w, y * h, width * Math.max(w, h)];
}

// From the last point to this one; a pen presses unevenly, so each piece has a width of its own.
export function draw(context, points, { from = 0, erase = false } = {}) {
  context.save();
  context.globalCompositeOperation = erase ? "destination-out" : "source-over";
  context.fillStyle = context.strokeStyle = "white";
  context.lineCap = "round";
  for (let at = from; at < points.length; at += 1) {
    const here = scaled(context, points[at]);
    if (at === 0) { dot(context, here); continue; }
    const before = scaled(context, points[at - 1]);
    context.lineWidth = (before[2] + here[2]) / 2;
    context.beginPath();
    context.moveTo(before[0], before[1]);
    context.lineTo(here[0], here[1]);
    context.stroke();
  }
  context.restore();
}

const STEPS = {
  stroke: (context, { points, erase }) => draw(context, points, { erase }),
  clear: context => context.clearRect(0, 0, context.canvas.width, context.canvas.height),
  rectangle(context, { box: [x, y, w, h] }) {
    const { width, height } = context.canvas;
    context.fillStyle = "white";
    context.fillRect(x * width, y * height, w * width, h * height);
  },
  // Where it was painted it is clear now, and the other way round.
  invert(context) {
    context.save();
    context.globalCompositeOperation = "xor";
    context.fillStyle = "white";
    context.fillRect(0, 0, context.canvas.width, context.canvas.height);
    context.restore();
  },
  picture: (context, { picture }) => context.drawImage(picture, 0, 0, context.canvas.width, context.canvas.height),
};

export function replay(context, steps) {
  STEPS.clear(context);
  steps.forEach(step => STEPS[step.kind](context, step));
}

// A grey picture as a step: its lightness becomes what covers. What is transparent stays so.
export function asStep(bitmap, width, height) {
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d");
  context.drawImage(bitmap, 0, 0, width, height);
  const pixels = context.getImageData(0, 0, width, height);
  const bytes = pixels.data;
  for (let at = 0; at < bytes.length; at += 4) {
    const light = 0.299 * bytes[at] + 0.587 * bytes[at + 1] + 0.114 * bytes[at + 2];
    bytes[at + 3] = Math.round(light * bytes[at + 3] / 255);
    bytes[at] = bytes[at + 1] = bytes[at + 2] = 255;
  }
  context.putImageData(pixels, 0, 0);
  return { kind: "picture", picture: canvas };
}

// How much is covered, 0 to 1, reckoned on a small copy.
export function covered(canvas) {
  const side = 64;
  const copy = Object.assign(document.createElement("canvas"), { width: side, height: side });
  const context = copy.getContext("2d", { willReadFrequently: true });
  context.drawImage(canvas, 0, 0, side, side);
  const bytes = context.getImageData(0, 0, side, side).data;
  let sum = 0;
  for (let at = 3; at < bytes.length; at += 4) sum += bytes[at];
  return sum / 255 / side / side;
}

// White on black, as the server takes it. At once and not by a callback: it must be there before the form is sent.
export function asFile(canvas) {
  const sheet = Object.assign(document.createElement("canvas"), { width: canvas.width, height: canvas.height });
  const context = sheet.getContext("2d");
  context.fillRect(0, 0, sheet.width, sheet.height);
  context.drawImage(canvas, 0, 0);
  const text = atob(sheet.toDataURL("image/png").split(",")[1]);
  return new File([Uint8Array.from(text, letter => letter.charCodeAt(0))], "mask.png", { type: "image/png" });
}
