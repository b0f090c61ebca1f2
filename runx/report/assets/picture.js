// A card with a picture: a canvas that is redrawn when its size changes, and buttons to save it.

import { h, save } from "./dom.js";
import { inks } from "./colours.js";
import { SvgPen } from "./pen.js";

/** Resize and clear a canvas; returns its context, in CSS pixels. */
export function fit(canvas, width, height) {
  const ratio = devicePixelRatio || 1;
  const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== wide || canvas.height !== high) {
    canvas.width = wide;
    canvas.height = high;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  return pen;
}

/** Return the buttons that save a picture; `paint(pen, width, height)` draws it. */
export function saveButtons(name, sizeOf, paint) {
  const background = (pen, width, height) => {
    pen.fillStyle = inks().card;
    pen.fillRect(0, 0, width, height);
    paint(pen, width, height);
  };
  const png = () => {
    const [width, height] = sizeOf();
    const canvas = h("canvas", { width: width * 2, height: height * 2 });
    const pen = canvas.getContext("2d");
    pen.scale(2, 2);
    background(pen, width, height);
    canvas.toBlob((blob) => save(`${name()}.png`, blob), "image/png");
  };
  const svg = () => {
    const [width, height] = sizeOf();
    const pen = new SvgPen(width, height);
    background(pen, width, height);
    save(`${name()}.svg`, new Blob([pen.svg()], { type: "image/svg+xml" }));
  };
  return h(
    "span",
    { class: "saves" },
    h("button", { type: "button", class: "quiet", title: "Save as PNG", onclick: png }, "PNG"),
    h("button", { type: "button", class: "quiet", title: "Save as SVG", onclick: svg }, "SVG"),
  );
}

/** Return a card: a heading, elements beside it, and a body. */
export function card(title, beside, ...body) {
  const heading = h("h3", {}, title);
  const head = h("header", { class: "card-head" }, heading, h("div", { class: "card-side" }, beside));
  return { element: h("section", { class: "card" }, head, ...body), heading };
}

/**
 * Return a card with a canvas drawn by `paint`, and one above it drawn by `highlight`.
 *
 * @param {{title: string, name: () => string, label: string, heightOf: (width: number) => number, paint: Function, controls?: any[], highlight?: Function, move?: Function, leave?: () => void, [pointer: string]: any}} of
 */
export function makePicture({ title, name, label, controls, heightOf, paint, highlight, move, leave, ...pointer }) {
  const base = h("canvas", { role: "img", "aria-label": label });
  const over = h("canvas", { class: "over", "aria-hidden": "true" });
  const stage = h("div", { class: "stage" }, base, over);
  const picture = { stage, base, over, width: 0, height: 0, refresh, relight };
  const sizeOf = () => [picture.width, picture.height];
  const saves = saveButtons(name, sizeOf, paint);
  Object.assign(picture, card(title, [...(controls ?? []), saves], stage));
  if (move) over.addEventListener("pointermove", (event) => move(at(event), event));
  if (leave) over.addEventListener("pointerleave", leave);
  for (const [kind, listener] of Object.entries(pointer)) {
    over.addEventListener(kind, (event) => listener(at(event), event));
  }
  new ResizeObserver(() => {
    if (Math.abs(stage.clientWidth - picture.width) > 1) refresh();
  }).observe(stage);
  return picture;

  function at(event) {
    const box = over.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  function refresh() {
    picture.width = Math.floor(stage.clientWidth);
    picture.height = heightOf(picture.width);
    stage.style.height = `${picture.height}px`;
    if (picture.width < 20) return;
    paint(fit(base, picture.width, picture.height), picture.width, picture.height);
    relight();
  }

  function relight() {
    if (picture.width < 20) return;
    const pen = fit(over, picture.width, picture.height);
    highlight?.(pen, picture.width, picture.height);
  }
}
