// A canvas's 2D context that makes an SVG, as far as this page uses it.

import { h } from "./dom.js";

const ANCHORS = { left: "start", start: "start", center: "middle", right: "end", end: "end" };
const BASELINES = { top: "0.8em", middle: "0.32em", alphabetic: "0", bottom: "-0.2em" };
const STATE = ["strokeStyle", "fillStyle", "lineWidth", "globalAlpha", "font", "textAlign", "textBaseline", "dash", "dx", "dy", "clipId", "turn"];

function escaped(text) {
  return String(text).replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`);
}

function short(number) {
  return Number(number.toFixed(2));
}

/** A 2D context whose `svg()` returns the drawing. */
export class SvgPen {
  /** @type {any} */
  static ruler = null;
  strokeStyle = "#000";
  fillStyle = "#000";
  lineWidth = 1;
  globalAlpha = 1;
  font = "12px sans-serif";
  textAlign = "start";
  textBaseline = "alphabetic";
  dash = "";
  turn = 0;
  dx = 0;
  dy = 0;
  clipId = "";
  parts = [];
  clips = [];
  saved = [];
  path = [];

  constructor(width, height) {
    this.width = width;
    this.height = height;
  }

  save() {
    this.saved.push(STATE.map((name) => this[name]));
  }

  restore() {
    this.saved.pop().forEach((value, at) => {
      this[STATE[at]] = value;
    });
  }

  translate(x, y) {
    this.dx += x;
    this.dy += y;
  }

  rotate(angle) {
    this.turn += (angle * 180) / Math.PI;
  }

  beginPath() {
    this.path = [];
  }

  moveTo(x, y) {
    this.path.push(`M${short(x + this.dx)} ${short(y + this.dy)}`);
  }

  lineTo(x, y) {
    this.path.push(`${this.path.length ? "L" : "M"}${short(x + this.dx)} ${short(y + this.dy)}`);
  }

  bezierCurveTo(...points) {
    const places = points.map((part, at) => short(part + (at % 2 ? this.dy : this.dx)));
    this.path.push(`C${places.join(" ")}`);
  }

  arc(x, y, radius) {
    const [left, middle, r] = [short(x + this.dx - radius), short(y + this.dy), short(radius)];
    this.path.push(`M${left} ${middle}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0`);
  }

  rect(x, y, width, height) {
    this.moveTo(x, y);
    this.path.push(`h${short(width)}v${short(height)}h${short(-width)}Z`);
  }

  closePath() {
    this.path.push("Z");
  }

  clip() {
    this.clipId = `clip${this.clips.length}`;
    this.clips.push(`<clipPath id="${this.clipId}"><path d="${this.path.join("")}"/></clipPath>`);
  }

  setLineDash(dash) {
    this.dash = dash.join(" ");
  }

  stroke() {
    const dash = this.dash ? ` stroke-dasharray="${this.dash}"` : "";
    this.add(`<path d="${this.path.join("")}" fill="none" stroke="${escaped(this.strokeStyle)}" stroke-width="${this.lineWidth}" stroke-linejoin="round"${dash}`);
  }

  fill() {
    this.add(`<path d="${this.path.join("")}" fill="${escaped(this.fillStyle)}"`);
  }

  fillRect(x, y, width, height) {
    this.beginPath();
    this.rect(x, y, width, height);
    this.fill();
  }

  strokeRect(x, y, width, height) {
    this.beginPath();
    this.rect(x, y, width, height);
    this.stroke();
  }

  fillText(text, x, y) {
    const [left, top] = [short(x + this.dx), short(y + this.dy)];
    const turned = this.turn ? ` transform="rotate(${short(this.turn)} ${short(this.dx)} ${short(this.dy)})"` : "";
    const [, fontSize] = /([\d.]+)px/.exec(this.font) ?? [];
    const weight = /^(6|7)00|bold/.test(this.font) ? ' font-weight="600"' : "";
    this.add(
      `<text x="${left}" y="${top}" dy="${BASELINES[this.textBaseline]}" font-size="${fontSize}"${weight} text-anchor="${ANCHORS[this.textAlign]}" fill="${escaped(this.fillStyle)}"${turned}`,
      `>${escaped(text)}</text>`,
    );
  }

  measureText(text) {
    const ruler = (SvgPen.ruler ??= h("canvas").getContext("2d"));
    ruler.font = this.font;
    return ruler.measureText(text);
  }

  add(start, end = "/>") {
    const alpha = this.globalAlpha < 1 ? ` opacity="${short(this.globalAlpha)}"` : "";
    const clip = this.clipId ? ` clip-path="url(#${this.clipId})"` : "";
    this.parts.push(`${start}${alpha}${clip}${end}`);
  }

  svg() {
    const box = `width="${this.width}" height="${this.height}" viewBox="0 0 ${this.width} ${this.height}"`;
    const head = `<svg xmlns="http://www.w3.org/2000/svg" ${box} font-family="system-ui, sans-serif">`;
    const clips = this.clips.length ? `<defs>${this.clips.join("")}</defs>` : "";
    return `${head}${clips}${this.parts.join("\n")}</svg>\n`;
  }
}

export const FONT = "12px system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif";
export const BOLD = `600 ${FONT}`;
export const SMALL = FONT.replace("12px", "11px");

/** Return a text, shortened to fit into a width. */
export function fitted(pen, text, width) {
  if (pen.measureText(text).width <= width) return text;
  let [low, high] = [0, text.length];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (pen.measureText(`${text.slice(0, middle)}…`).width <= width) low = middle;
    else high = middle - 1;
  }
  return low ? `${text.slice(0, low)}…` : "";
}
