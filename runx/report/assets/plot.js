// A plot: uPlot has the axes, the zoom and the cursor; what lies between the axes is ours.

import { h } from "./dom.js";
import { inks } from "./colours.js";
import { fit } from "./picture.js";
import { FONT, SMALL } from "./pen.js";
import { shortNumber } from "./numbers.js";
import { axisMap, INTEGER_STEPS, logSplits, padded } from "./axes.js";

/**
 * Return a plot. `options()` returns log axes, extents and how values are written; `paint(pen, map)`
 * draws between the axes, `highlight` above; `select(box)` is called with an area dragged over.
 */
export function makePlot({ height, label, options, paint, highlight, move, leave, select, reset }) {
  const host = h("div", { class: "plot", role: "img", "aria-label": label });
  const over = h("canvas", { class: "over", "aria-hidden": "true" });
  /** @type {any} */
  const plot = { host, map: null, refresh, relight, paintAll, size: () => [host.clientWidth, height] };
  /** @type {any} */
  let uplot = null;
  let drawnKey = "";
  let extents = { x: [0, 1], y: [0, 1] };
  new ResizeObserver(() => {
    if (uplot && Math.abs(uplot.width - host.clientWidth) > 1) {
      uplot.setSize({ width: host.clientWidth, height });
      relight();
    }
  }).observe(host);
  return plot;

  function refresh() {
    if (host.clientWidth < 60) return;
    const wanted = options();
    extents = { x: padded(wanted.x, wanted.logX, wanted.pad ?? 0), y: padded(wanted.y, wanted.logY, 0.05) };
    const key = JSON.stringify([wanted.logX, wanted.logY, wanted.key, inks(), devicePixelRatio]);
    if (key !== drawnKey) {
      uplot?.destroy();
      uplot = create(wanted);
      drawnKey = key;
    }
    uplot.batch(() => {
      uplot.setScale("x", { min: extents.x[0], max: extents.x[1] });
      uplot.setScale("y", { min: extents.y[0], max: extents.y[1] });
    });
    relight();
  }

  function create(wanted) {
    const ink = inks();
    const axis = (side) => ({
      stroke: ink.soft,
      font: SMALL,
      grid: { stroke: ink.grid, width: 1 },
      ticks: { show: false },
      gap: 6,
      size: side === "x" ? 26 : 50,
      values: (_, splits) => splits.map((value) => (value === null ? "" : written(side, value))),
      ...(side === "x" && wanted.integerX ? { incrs: INTEGER_STEPS } : {}),
      ...splitsOf(side, wanted),
    });
    const splitsOf = (name, { logX, logY }) => {
      if (wanted[`${name}Splits`]) return { splits: () => options()[`${name}Splits`] };
      if (!(name === "x" ? logX : logY)) return {};
      return { splits: () => logSplits(...extents[name]), filter: (_, splits) => splits };
    };
    const written = (side, value) => {
      const write = options()[`${side}Text`];
      return write ? write(value) : shortNumber(value, 4);
    };
    const instance = new uPlot(
      {
        width: host.clientWidth,
        height,
        padding: [8, 10, 0, 0],
        legend: { show: false },
        scales: {
          x: { time: false, distr: wanted.logX ? 3 : 1, range: () => extents.x },
          y: { distr: wanted.logY ? 3 : 1, range: () => extents.y },
        },
        axes: [axis("x"), axis("y")],
        series: [{}, { show: false }],
        cursor: {
          y: false,
          points: { show: false },
          drag: { x: true, y: Boolean(wanted.dragBoth), setScale: false },
          bind: { dblclick: () => () => reset?.() },
        },
        hooks: { draw: [drawn], setCursor: [moved], setSelect: [selected] },
      },
      [[0, 1], [null, null]],
      host,
    );
    instance.over.append(over);
    instance.over.addEventListener("pointerleave", () => leave?.());
    instance.over.addEventListener("pointermove", (event) => {
      plot.event = event;
    });
    return instance;
  }

  function drawn(self) {
    const ratio = devicePixelRatio;
    const [width, high] = [self.bbox.width / ratio, self.bbox.height / ratio];
    plot.map = mapOf(width, high);
    const pen = self.ctx;
    pen.save();
    pen.translate(self.bbox.left, self.bbox.top);
    pen.scale(ratio, ratio);
    clipped(pen, width, high);
    paint(pen, plot.map);
    pen.restore();
  }

  function clipped(pen, width, high) {
    pen.beginPath();
    pen.rect(0, -2, width, high + 4);
    pen.clip();
  }

  function mapOf(width, high) {
    const { logX, logY } = options();
    const x = axisMap(...extents.x, 0, width, logX);
    const y = axisMap(...extents.y, high, 0, logY);
    return { x, y, width, height: high, logX, logY };
  }

  function moved(self) {
    const { left, top } = self.cursor;
    if (left >= 0 && plot.map && plot.event) move?.({ x: left, y: top }, plot.event);
  }

  function selected(self) {
    const { left, top, width, height: tall } = self.select;
    if (width < 4) return;
    const { x, y } = plot.map;
    select?.({ x: [x.back(left), x.back(left + width)], y: [y.back(top + tall), y.back(top)] });
    self.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  }

  function relight() {
    if (!plot.map) return;
    const pen = fit(over, Math.round(plot.map.width), Math.round(plot.map.height));
    highlight?.(pen, plot.map);
  }

  /** Draw the plot and its axes with another pen. */
  function paintAll(pen, width, high, title) {
    const ink = inks();
    const [left, top, right, bottom] = [54, 28, 12, 28];
    pen.fillStyle = ink.text;
    pen.font = FONT;
    pen.textAlign = "left";
    pen.textBaseline = "top";
    pen.fillText(title, left, 8);
    const map = mapOf(width - left - right, high - top - bottom);
    const { logX, logY } = map;
    pen.save();
    pen.translate(left, top);
    paintAxes(pen, map, { ...ink, logX, logY });
    clipped(pen, map.width, map.height);
    paint(pen, map);
    pen.restore();
  }

  function paintAxes(pen, map, ink) {
    const texts = uplot.axes.map((axis) => axis._splits.map((split, at) => [split, axis._values[at]]));
    pen.font = SMALL;
    pen.lineWidth = 1;
    pen.strokeStyle = ink.grid;
    pen.fillStyle = ink.soft;
    const line = (fromX, fromY, toX, toY) => {
      pen.beginPath();
      pen.moveTo(fromX, fromY);
      pen.lineTo(toX, toY);
      pen.stroke();
    };
    for (const [value, text] of texts[0]) {
      const x = map.x(value);
      if (!(x >= -1 && x <= map.width + 1)) continue;
      line(x, 0, x, map.height);
      pen.textAlign = "center";
      pen.textBaseline = "top";
      pen.fillText(text, x, map.height + 6);
    }
    for (const [value, text] of texts[1]) {
      const y = map.y(value);
      if (!(y >= -1 && y <= map.height + 1)) continue;
      line(0, y, map.width, y);
      pen.textAlign = "right";
      pen.textBaseline = "middle";
      pen.fillText(text, -6, y);
    }
  }
}
