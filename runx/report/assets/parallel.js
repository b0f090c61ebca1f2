// Parallel coordinates: an axis for each hyperparameter that varies and for the metric, a line a
// run. Dragging along an axis keeps the runs that pass there, everywhere on the page.

import { inks } from "./colours.js";
import { makePicture } from "./picture.js";
import { BOLD, fitted, SMALL } from "./pen.js";
import { numeric, valueOf } from "./model.js";
import { isNumber, scaleOf, shortNumber, shown } from "./numbers.js";

const HEIGHT = 300;
const TOP = 40;
const BOTTOM = 34;
const SIDE = 62;
const MOST_AXES = 12;
const GRIP = 14; // how near to an axis a drag begins a brush, in pixels

export function makeParallel(model, store, selection, tip) {
  let axes = [];
  let drag = null;
  const picture = makePicture({
    title: "Parallel coordinates",
    name: () => `${model.experiment}-parallel`,
    label: "Parallel coordinates: hyperparameters and the metric, one line a run",
    heightOf: () => HEIGHT,
    paint,
    highlight,
    move,
    leave: () => {
      if (drag) return;
      store.hover([]);
      tip(null);
    },
    pointerdown: down,
    pointerup: up,
    dblclick: (spot) => clear(axisAt(spot.x)),
  });
  picture.over.dataset.figure = "parallel";
  return { element: picture.element, refresh, relight: picture.relight };

  function refresh() {
    const names = model.varying.slice(0, MOST_AXES);
    const ids = [...names.map((name) => `h:${name}`), selection.objective?.id].filter(Boolean);
    axes = ids.map((id) => {
      const column = selection.byId.get(id);
      const scale = scaleOf(model.runs.map((run) => plain(run, column)).map((value) => value ?? undefined));
      return { column, scale };
    });
    picture.element.hidden = axes.length < 2;
    picture.refresh();
    picture.over.dataset.axes = JSON.stringify(axes.map((axis, nth) => ({ id: axis.column.id, x: placeOf(nth) })));
  }

  function plain(run, column) {
    const value = valueOf(run, column);
    if (column.kind !== "best") return value;
    const number = numeric(value);
    return isNumber(number) ? number : undefined;
  }

  function placeOf(nth, width = picture.width) {
    return SIDE + (nth * (width - 2 * SIDE)) / Math.max(axes.length - 1, 1);
  }

  function heightAt(axis, run, height) {
    const share = axis.scale.place(plain(run, axis.column));
    // The line of a run without a value passes below the axis.
    return share === null ? height - BOTTOM + 14 : TOP + (1 - share) * (height - TOP - BOTTOM);
  }

  function points(run, width, height) {
    return axes.map((axis, nth) => [placeOf(nth, width), heightAt(axis, run, height)]);
  }

  function polyline(pen, places) {
    pen.beginPath();
    pen.moveTo(...places[0]);
    for (let nth = 1; nth < places.length; nth += 1) {
      const [[fromX, fromY], [toX, toY]] = [places[nth - 1], places[nth]];
      const bend = (toX - fromX) * 0.35;
      pen.bezierCurveTo(fromX + bend, fromY, toX - bend, toY, toX, toY);
    }
    pen.stroke();
  }

  function paint(pen, width, height) {
    const ink = inks();
    const drawn = new Set(selection.drawn);
    pen.lineWidth = 1;
    pen.strokeStyle = ink.line;
    pen.globalAlpha = model.runs.length > 200 ? 0.35 : 0.7;
    for (const run of model.runs) if (!drawn.has(run)) polyline(pen, points(run, width, height));
    pen.lineWidth = drawn.size > 200 ? 1 : 1.6;
    pen.globalAlpha = drawn.size > 200 ? 0.45 : 0.85;
    for (const run of drawn) {
      pen.strokeStyle = selection.colourOf(run);
      polyline(pen, points(run, width, height));
    }
    pen.globalAlpha = 1;
    axes.forEach((axis, nth) => paintAxis(pen, axis, placeOf(nth, width), nth, width, height, ink));
  }

  function paintAxis(pen, axis, x, nth, width, height, ink) {
    const bottom = height - BOTTOM;
    pen.strokeStyle = ink.muted;
    pen.lineWidth = 1;
    pen.beginPath();
    pen.moveTo(x, TOP);
    pen.lineTo(x, bottom);
    pen.stroke();
    const room = (width - 2 * SIDE) / Math.max(axes.length - 1, 1) - 12;
    pen.fillStyle = ink.text;
    pen.font = BOLD;
    pen.textAlign = "center";
    pen.textBaseline = "top";
    pen.fillText(fitted(pen, axis.column.heading, Math.min(Math.max(room, 40), 2 * SIDE)), x, 10);
    pen.font = SMALL;
    pen.textBaseline = "middle";
    pen.textAlign = nth === axes.length - 1 ? "left" : "right";
    const off = nth === axes.length - 1 ? 7 : -7;
    for (const { text, at } of thinnedTicks(axis.scale.ticks, bottom - TOP)) {
      label(pen, fitted(pen, text, nth ? Math.max(room * 0.5, 24) : SIDE - 12), x + off, TOP + (1 - at) * (bottom - TOP), ink);
    }
    const brush = store.view.brushes[axis.column.id];
    if (brush) paintBrush(pen, axis, brush, x, height, ink);
  }

  /** Draw a label with a halo, legible above lines. */
  function label(pen, text, x, y, ink) {
    const { width } = pen.measureText(text);
    pen.fillStyle = ink.card;
    pen.globalAlpha = 0.75;
    pen.fillRect(pen.textAlign === "left" ? x - 2 : x - width - 2, y - 7, width + 4, 14);
    pen.globalAlpha = 1;
    pen.fillStyle = ink.soft;
    pen.fillText(text, x, y);
  }

  function thinnedTicks(ticks, room) {
    const step = Math.ceil(ticks.length / Math.max(Math.floor(room / 16), 1));
    return ticks.filter((_, nth) => nth % step === 0);
  }

  function paintBrush(pen, axis, brush, x, height, ink) {
    const [from, to] = spanOf(axis, brush, height);
    pen.fillStyle = ink.accent;
    pen.globalAlpha = 0.25;
    pen.fillRect(x - 8, from, 16, to - from);
    pen.globalAlpha = 1;
    pen.strokeStyle = ink.accent;
    pen.strokeRect(x - 8, from, 16, to - from);
  }

  function spanOf(axis, brush, height) {
    const tall = height - TOP - BOTTOM;
    const shares = Array.isArray(brush)
      ? brush.map((value) => clamp((axis.scale.place(value) ?? 0), 0, 1))
      : nameShares(axis, brush.names);
    return [TOP + (1 - Math.max(...shares)) * tall - 3, TOP + (1 - Math.min(...shares)) * tall + 3];
  }

  function nameShares(axis, names) {
    const half = 0.35 / Math.max(axis.scale.names?.length ?? 1, 1);
    const places = names.map((name) => axis.scale.place(name) ?? 0);
    return [Math.min(...places) - half, Math.max(...places) + half];
  }

  function highlight(pen, width, height) {
    const highlighted = [...store.hovered];
    if (drag?.moved) paintDrag(pen);
    if (!highlighted.length || drag) return;
    const ink = inks();
    pen.globalAlpha = 0.6;
    pen.fillStyle = ink.card;
    pen.fillRect(0, TOP - 4, width, height - TOP);
    pen.globalAlpha = 1;
    axes.forEach((axis, nth) => paintAxis(pen, axis, placeOf(nth, width), nth, width, height, ink));
    pen.lineWidth = 2.8;
    for (const run of highlighted) {
      pen.strokeStyle = selection.colourOf(run);
      const places = points(run, width, height);
      polyline(pen, places);
      pen.fillStyle = selection.colourOf(run);
      for (const [x, y] of places) {
        pen.beginPath();
        pen.arc(x, y, 3.5, 0, 2 * Math.PI);
        pen.fill();
      }
    }
  }

  function paintDrag(pen) {
    const ink = inks();
    pen.fillStyle = ink.accent;
    pen.globalAlpha = 0.3;
    pen.fillRect(placeOf(drag.nth) - 8, Math.min(drag.from, drag.to), 16, Math.abs(drag.to - drag.from));
    pen.globalAlpha = 1;
  }

  function axisAt(x) {
    return axes.findIndex((_, nth) => Math.abs(placeOf(nth) - x) <= GRIP);
  }

  function down(spot, event) {
    const nth = axisAt(spot.x);
    if (nth < 0 || event.button) return;
    drag = { nth, from: spot.y, to: spot.y, moved: false };
    picture.over.setPointerCapture(event.pointerId);
  }

  function up() {
    if (!drag) return;
    const { nth, from, to, moved } = drag;
    drag = null;
    if (!moved) clear(nth);
    else brush(axes[nth], from, to);
    picture.relight();
  }

  function brush({ column, scale }, from, to) {
    const tall = HEIGHT - TOP - BOTTOM;
    const share = (y) => clamp(1 - (y - TOP) / tall, 0, 1);
    const [low, high] = [share(Math.max(from, to)), share(Math.min(from, to))];
    if (scale.kind === "name") {
      const names = scale.names.filter((name) => scale.place(name) >= low && scale.place(name) <= high);
      if (names.length) set(column.id, { names });
      return;
    }
    set(column.id, [scale.unplace(low), scale.unplace(high)].map(neat));
  }

  function set(id, brush) {
    store.set({ brushes: { ...store.view.brushes, [id]: brush } });
  }

  function clear(nth) {
    if (nth < 0 || !axes[nth]) return;
    const { [axes[nth].column.id]: removed, ...others } = store.view.brushes;
    if (removed) store.set({ brushes: others });
  }

  function move(spot, event) {
    if (drag) {
      drag.to = spot.y;
      drag.moved ||= Math.abs(drag.to - drag.from) > 4;
      picture.relight();
      return;
    }
    picture.over.style.cursor = axisAt(spot.x) >= 0 ? "ns-resize" : "default";
    const run = nearest(spot);
    store.hover(run ? [run] : []);
    tip(run ? [[run.key, selection.colourOf(run)], ...axes.map((axis) => [`${axis.column.heading} ${shown(valueOf(run, axis.column)) || "none"}`])] : null, event);
  }

  /** Return the run whose line passes nearest to a spot. */
  function nearest({ x, y }) {
    const { height } = picture;
    const gap = placeOf(1) - placeOf(0);
    const nth = clamp(Math.floor((x - SIDE) / gap), 0, axes.length - 2);
    const share = clamp((x - placeOf(nth)) / gap, 0, 1);
    let best = { distance: 14 };
    for (const run of selection.drawn) {
      const [from, to] = [heightAt(axes[nth], run, height), heightAt(axes[nth + 1], run, height)];
      const distance = Math.abs(from + (to - from) * eased(share) - y);
      if (distance < best.distance) best = { distance, run };
    }
    return best.run;
  }
}

/** Return the share of its rise that a line has made after a share of its way to the next axis. */
function eased(share) {
  let [low, high] = [0, 1];
  for (let step = 0; step < 12; step += 1) {
    const t = (low + high) / 2;
    const x = 3 * (1 - t) ** 2 * t * 0.35 + 3 * (1 - t) * t ** 2 * 0.65 + t ** 3;
    if (x < share) low = t;
    else high = t;
  }
  const t = (low + high) / 2;
  return 3 * (1 - t) * t ** 2 + t ** 3;
}

export function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high);
}

/** Round the edge of a brush to few digits. */
export function neat(value) {
  return Number(shortNumber(value, 4));
}
