// A plot of a search's points, a dot each: filled where it is done, open where it isn't, a cross where it failed.

import { inks } from "./colours.js";
import { h } from "./dom.js";
import { isNumber, scaleOf } from "./numbers.js";
import { card, saveButtons } from "./picture.js";
import { makePlot } from "./plot.js";

const HEIGHT = 240;
const REACH = 16;

/**
 * Return a card with such a plot; a click on a dot opens a run of the point.
 *
 * @param {{name: string, label: string, controls?: any[], tell: (point: any) => any[], open: (point: any) => void, light: (point: any) => void, tip: Function, isLit: (point: any) => boolean, file: () => string}} of
 */
export function makeDots({ name, label, controls = [], tell, open, light, tip, isLit, file }) {
  /** @type {{dots: any[], line: [number, number][]}} */
  let shown = { dots: [], line: [] };
  let pointed = null;
  const about = h("p", { class: "about" });
  const plot = makePlot({ height: HEIGHT, label, options, paint, highlight, move, leave: () => point(null), select: null, reset: null });
  const saves = saveButtons(() => `${file()}-${name}`, plot.size, (pen, width, height) => plot.paintAll(pen, width, height, heading.textContent));
  const { element, heading } = card("", [...controls, saves], plot.host, about);
  element.dataset.dots = name;
  plot.host.addEventListener("click", () => pointed && open(pointed.point));
  return { element, refresh, relight: plot.relight };

  /** Draw the dots, and a line; without dots the card is hidden. */
  function refresh({ title, text, dots, line }) {
    shown = { dots, line };
    element.hidden = !dots.length;
    heading.textContent = title;
    about.textContent = text;
    if (dots.length) plot.refresh();
  }

  function options() {
    const across = scaleOf(shown.dots.map(({ x }) => x));
    const up = scaleOf(shown.dots.map(({ y }) => y).filter(isNumber));
    const isCount = shown.dots.every(({ x }) => Number.isInteger(x));
    const logX = !isCount && across.log;
    return { x: [across.low, across.high], y: up.kind === "number" ? [up.low, up.high] : [0, 1], logX, logY: up.log ?? false, pad: 0.03, integerX: isCount, key: isCount };
  }

  function paint(pen, map) {
    pen.strokeStyle = inks().soft;
    pen.lineWidth = 1.5;
    pen.beginPath();
    shown.line.forEach(([x, y], nth) => {
      // A best value holds until there is a better one.
      if (nth) pen.lineTo(map.x(x), map.y(shown.line[nth - 1][1]));
      if (nth) pen.lineTo(map.x(x), map.y(y));
      else pen.moveTo(map.x(x), map.y(y));
    });
    pen.stroke();
    for (const dot of shown.dots) mark(pen, map, dot, 4);
  }

  function spot({ x, y }, map) {
    return [map.x(x), isNumber(y) ? map.y(y) : map.height - 6];
  }

  function mark(pen, map, dot, radius) {
    const [x, y] = spot(dot, map);
    pen.fillStyle = dot.colour;
    pen.strokeStyle = dot.colour;
    pen.lineWidth = 1.5;
    pen.beginPath();
    if (dot.look === "failed") {
      pen.moveTo(x - radius, y - radius);
      pen.lineTo(x + radius, y + radius);
      pen.moveTo(x - radius, y + radius);
      pen.lineTo(x + radius, y - radius);
    } else pen.arc(x, y, radius, 0, 2 * Math.PI);
    if (dot.look === "done") pen.fill();
    else pen.stroke();
  }

  function highlight(pen, map) {
    for (const dot of shown.dots) if (isLit(dot.point)) mark(pen, map, dot, 7);
  }

  function move({ x, y }, event) {
    const far = (dot) => Math.hypot(spot(dot, plot.map)[0] - x, spot(dot, plot.map)[1] - y);
    const near = shown.dots.reduce((best, dot) => (far(dot) < best.distance ? { dot, distance: far(dot) } : best), { dot: null, distance: REACH });
    point(near.dot, event);
  }

  function point(dot, event) {
    pointed = dot;
    light(dot?.point);
    tip(dot ? [[`point ${dot.point.number}, ${dot.point.state}`, dot.colour], ...tell(dot.point).map((line) => [line])] : null, event);
  }
}
