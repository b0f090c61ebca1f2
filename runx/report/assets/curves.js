// Curves: a chart for each metric, with a line for each run or group of runs and each phase.

import { h, press, toggle } from "./dom.js";
import { inks } from "./colours.js";
import { card, saveButtons } from "./picture.js";
import { trace } from "./axes.js";
import { makePlot } from "./plot.js";
import { firstNotBelow } from "./model.js";
import { linesOf, rangeOf, spreads } from "./lines.js";
import { duration, shortNumber } from "./numbers.js";

const HEIGHT = 240;
const REACH = 28; // how near to a line the pointer must be, in pixels
const SEGMENTS = 120_000; // lines from point to point in one chart; with more, it is slow
const DASHES = { train: [5, 3] };

export function makeCurves(model, store, selection, tip) {
  const grid = h("div", { class: "grid charts" });
  const element = h("section", { "aria-label": "Curves" }, grid);
  const charts = new Map();
  const near = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      const chart = [...charts.values()].find(({ element }) => element === entry.target);
      chart.isNear = entry.isIntersecting;
      if (chart.isNear && chart.isStale) chart.refresh();
    }
  }, { rootMargin: "300px" });
  return { element, refresh, relight: () => charts.forEach((chart) => chart.relight()), printing };

  function refresh() {
    for (const name of model.metrics.keys()) {
      if (charts.has(name)) continue;
      const chart = makeChart(name, model, store, selection, tip);
      charts.set(name, chart);
      grid.append(chart.element);
      near.observe(chart.element);
    }
    for (const chart of charts.values()) {
      if (chart.isNear) chart.refresh();
      else chart.isStale = true;
    }
  }

  function printing() {
    charts.forEach((chart) => chart.refresh());
  }
}

/** Return the chart of one metric, with a line for each run or group that is drawn. */
export function makeChart(name, model, store, selection, tip) {
  let lines = [];
  let extents = { x: [0, 1], y: [0, 1] };
  let zoom = null;
  let drawnAxis = "";
  let isWide = false;
  const note = h("span", { class: "note" });
  const plot = makePlot({
    height: HEIGHT,
    label: `Curves of ${name}, one line a run`,
    options: () => ({
      ...extents,
      logX: store.view.logx,
      logY: isLog(),
      xText: store.view.x === "time" ? duration : null,
      integerX: isInteger(),
      key: `${store.view.x} ${isInteger()}`,
    }),
    paint,
    highlight,
    move,
    leave: () => {
      store.hover([]);
      tip(null);
    },
    select: (box) => {
      zoom = box.x;
      refresh();
    },
    reset: () => {
      zoom = null;
      refresh();
    },
  });
  const fileName = () => `${model.experiment}-${name}`;
  const saves = saveButtons(fileName, plot.size, (pen, width, height) => plot.paintAll(pen, width, height, name));
  const log = toggle("log", "Logarithmic axis of values", () => store.set({ scales: { ...store.view.scales, [name]: !isLog() } }));
  const { lower, known: isKnown } = model.metrics.get(name);
  const arrow = isKnown ? h("span", { class: "arrow", title: lower ? "less is better" : "more is better" }, lower ? " ↓" : " ↑") : null;
  const { element } = card([name, arrow].filter(Boolean), [note, log, saves], plot.host);
  element.dataset.metric = name;
  const chart = { element, isNear: true, isStale: false, refresh, relight: plot.relight };
  return chart;

  function refresh() {
    chart.isStale = false;
    const axis = `${store.view.x} ${store.view.logx}`;
    if (drawnAxis !== axis) zoom = null;
    drawnAxis = axis;
    lines = linesOf(name, store, selection);
    isWide = spreads(lines);
    const x = zoom ?? wholeX();
    press(log, isLog());
    const { range, isCut } = rangeOf(lines, isLog(), x);
    extents = { x, y: range };
    note.textContent = zoom ? "double-click shows all" : isCut ? "outliers cut off" : "";
    element.dataset.lines = lines.length;
    element.dataset.points = lines.reduce((sum, line) => sum + line.length, 0);
    plot.refresh();
  }

  /** Return whether values have a logarithmic axis: as chosen for them or for all, else as they spread. */
  function isLog() {
    return store.view.scales[name] ?? (store.view.logy || isWide);
  }

  /** Return whether the axis counts epochs, and is marked at integers alone. */
  function isInteger() {
    return store.view.x === "epoch" && !store.view.logx && lines.every(({ xs, length }) => Number.isInteger(xs[0]) && Number.isInteger(xs[length - 1]));
  }

  function wholeX() {
    let [low, high] = [Infinity, -Infinity];
    for (const { xs, length } of lines) {
      const first = store.view.logx ? firstNotBelow(xs, length, Number.MIN_VALUE) : 0;
      if (first >= length) continue;
      if (xs[first] < low) low = xs[first];
      if (xs[length - 1] > high) high = xs[length - 1];
    }
    return low <= high ? [low, high === low ? low + 1 : high] : [store.view.logx ? 1 : 0, 10];
  }

  function colourOf(line) {
    return line.group === undefined ? selection.colourOf(line.runs[0]) : selection.groupColour(line.group);
  }

  function paint(pen, map) {
    const few = lines.length <= 60;
    pen.lineJoin = "round";
    for (const line of lines.filter(({ low }) => low)) band(pen, map, line);
    pen.globalAlpha = lines.length <= 16 ? 0.95 : few ? 0.75 : lines.length <= 400 ? 0.5 : 0.3;
    pen.lineWidth = lines.length <= 16 ? 1.75 : few ? 1.4 : 1;
    const points = Math.max(40, SEGMENTS / Math.max(lines.length, 1));
    for (const line of lines) {
      pen.setLineDash(few ? (DASHES[line.phase] ?? []) : []);
      pen.strokeStyle = colourOf(line);
      pen.beginPath();
      trace(pen, map, line.xs, line.ys, line.length, Math.min(points, map.width * 2));
      pen.stroke();
      const alone = onlyPoint(line);
      if (alone >= 0) dot(pen, map, line, alone);
    }
    pen.setLineDash([]);
    pen.globalAlpha = 1;
  }

  function band(pen, map, line) {
    pen.globalAlpha = 0.16;
    pen.fillStyle = colourOf(line);
    pen.beginPath();
    const edge = (ys, at) => Math.min(Math.max(map.y(ys[at]), -1e4), 1e4);
    for (let at = 0; at < line.length; at += 1) pen.lineTo(map.x(line.xs[at]), edge(line.high, at));
    for (let at = line.length - 1; at >= 0; at -= 1) {
      const low = edge(line.low, at);
      pen.lineTo(map.x(line.xs[at]), Number.isFinite(low) ? low : map.height);
    }
    pen.closePath();
    pen.fill();
  }

  function dot(pen, map, line, at) {
    pen.fillStyle = colourOf(line);
    pen.beginPath();
    pen.arc(map.x(line.xs[at]), map.y(line.ys[at]), 3.5, 0, 2 * Math.PI);
    pen.fill();
  }

  /** Return where a line has its only point, -1 where it has none or several. */
  function onlyPoint({ ys, length }) {
    const first = ys.findIndex((y) => Number.isFinite(y));
    if (first < 0 || first >= length) return -1;
    for (let at = first + 1; at < length; at += 1) if (Number.isFinite(ys[at])) return -1;
    return first;
  }

  function highlight(pen, map) {
    const highlighted = lines.filter((line) => line.runs.some((run) => store.hovered.has(run)));
    if (!highlighted.length) return;
    pen.globalAlpha = 0.72;
    pen.fillStyle = inks().card;
    pen.fillRect(0, 0, map.width, map.height);
    pen.globalAlpha = 1;
    pen.lineWidth = 2.5;
    pen.lineJoin = "round";
    for (const line of highlighted) {
      pen.setLineDash(DASHES[line.phase] ?? []);
      pen.strokeStyle = colourOf(line);
      pen.beginPath();
      trace(pen, map, line.xs, line.ys, line.length, map.width * 2);
      pen.stroke();
      dot(pen, map, line, line.length - 1);
    }
    pen.setLineDash([]);
  }

  /** Return the line nearest to the pointer, and its point there. */
  function nearest({ x, y }) {
    const { map } = plot;
    const value = map.x.back(x);
    let best = { distance: REACH };
    for (const line of lines) {
      const after = firstNotBelow(line.xs, line.length, value);
      for (const at of [after - 1, after]) {
        if (at < 0 || at >= line.length) continue;
        const distance = Math.hypot((map.x(line.xs[at]) - x) / 4, map.y(line.ys[at]) - y);
        if (distance < best.distance) best = { distance, line, at };
      }
    }
    return best.line ? best : null;
  }

  function move(spot, event) {
    const best = nearest(spot);
    if (!best) {
      store.hover([]);
      tip(null);
      return;
    }
    const { line, at } = best;
    store.hover(line.runs);
    const place = store.view.x === "time" ? duration(line.xs[at]) : `epoch ${shortNumber(line.xs[at])}`;
    const spread = line.low ? ` ± ${shortNumber(line.high[at] - line.ys[at], 3)}` : "";
    tip([
      [line.group ?? line.runs[0].key, colourOf(line)],
      [`${line.phase} ${name} ${shortNumber(line.ys[at])}${spread}`],
      [line.group === undefined ? place : `${place}, ${line.runs.length} runs`],
    ], event);
  }
}
