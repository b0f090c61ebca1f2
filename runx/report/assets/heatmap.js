// A heat map: the metric's mean for each pair of values of two hyperparameters.

import { fill, select } from "./dom.js";
import { inks, sequential, wantsDarkText } from "./colours.js";
import { makePicture } from "./picture.js";
import { fitted, SMALL } from "./pen.js";
import { numeric, valueOf } from "./model.js";
import { isNumber, scaleOf, shortNumber, shown } from "./numbers.js";
import { grouped } from "./selection.js";
import { deviation, mean } from "./statistics.js";
import { neat } from "./parallel.js";

const LEFT = 84;
const BOTTOM = 34;
const MOST = 14;
const BINS = 8;

export function makeHeatmap(model, store, selection, tip) {
  let columns = [];
  /** @type {any} */
  let table = null;
  const across = select("x", [], "", (name) => store.set({ heatX: name }));
  const up = select("y", [], "", (name) => store.set({ heatY: name }));
  const picture = makePicture({
    title: "Heat map",
    name: () => `${model.experiment}-heatmap`,
    label: "Heat map: the metric's mean for each pair of values of two hyperparameters",
    controls: [across.element, up.element],
    heightOf: () => 300,
    paint,
    highlight,
    move,
    leave: () => {
      store.hover([]);
      tip(null);
    },
    click: (spot) => pick(cellAt(spot)),
  });
  picture.over.dataset.figure = "heatmap";
  return { element: picture.element, refresh, relight: picture.relight };

  function refresh() {
    const names = model.varying;
    picture.element.hidden = names.length < 2 || !selection.objective;
    if (picture.element.hidden) return;
    const ranked = [...new Set([...selection.importances.map(({ name }) => name), ...names])];
    const x = names.includes(store.view.heatX) ? store.view.heatX : ranked.find((name) => name !== store.view.heatY);
    const y = names.includes(store.view.heatY) && store.view.heatY !== x ? store.view.heatY : ranked.find((name) => name !== x);
    const options = names.map((name) => [name, name]);
    fill(across.list, options, x);
    fill(up.list, options, y);
    columns = [x, y].map((name) => side(selection.byId.get(`h:${name}`)));
    table = cells();
    picture.refresh();
  }

  /** Return the rows or columns of the map: the values of a hyperparameter, or ranges of them. */
  function side(column) {
    const runs = selection.drawn.filter((run) => valueOf(run, column) !== undefined);
    const scale = scaleOf(runs.map((run) => valueOf(run, column)));
    const groups = [...(grouped(model, [column.id], runs)?.values() ?? [])];
    if (scale.kind === "number" && groups.length > MOST) return binned(column, scale);
    const values = groups.slice(0, 40).map(([run]) => valueOf(run, column));
    const places = new Map(groups.flatMap((members, nth) => members.map((run) => [run, nth])));
    const of = (run) => {
      const nth = places.get(run) ?? -1;
      return nth < values.length ? nth : -1;
    };
    return { column, names: values.map(shown), of, brush: (nth) => exactly(values[nth], scale) };
  }

  function exactly(value, scale) {
    return scale.kind === "number" ? [value, value] : { names: [shown(value)] };
  }

  function binned(column, scale) {
    const edge = (nth) => scale.unplace(nth / BINS);
    const names = Array.from({ length: BINS }, (_, nth) => `≥ ${shortNumber(edge(nth), 2)}`);
    const of = (run) => {
      const share = scale.place(valueOf(run, column));
      return share === null ? -1 : Math.min(Math.floor(share * BINS), BINS - 1);
    };
    return { column, names, of, brush: (nth) => [neat(edge(nth)), neat(edge(nth + 1))] };
  }

  function cells() {
    const [x, y] = columns;
    const cells = new Map();
    for (const run of selection.drawn) {
      const [at, above] = [x.of(run), y.of(run)];
      if (at < 0 || above < 0) continue;
      const key = `${at} ${above}`;
      if (!cells.has(key)) cells.set(key, { at, above, runs: [], values: [] });
      cells.get(key).runs.push(run);
      const value = numeric(valueOf(run, selection.objective));
      if (isNumber(value)) cells.get(key).values.push(value);
    }
    for (const cell of cells.values()) cell.mean = cell.values.length ? mean(cell.values) : null;
    const means = [...cells.values()].map((cell) => cell.mean).filter((value) => value !== null);
    return { cells, scale: scaleOf(means) };
  }

  /** @returns {[number, number, number, number]} */
  function box(at, above, width, height) {
    const [x, y] = columns;
    const wide = (width - LEFT - 12) / x.names.length;
    const tall = (height - BOTTOM - 8) / y.names.length;
    return [LEFT + at * wide, 8 + (y.names.length - 1 - above) * tall, wide, tall];
  }

  function paint(pen, width, height) {
    const ink = inks();
    pen.font = SMALL;
    for (const cell of table.cells.values()) paintCell(pen, cell, box(cell.at, cell.above, width, height), ink);
    pen.fillStyle = ink.soft;
    const [x, y] = columns;
    x.names.forEach((name, at) => {
      const [left, , wide] = box(at, 0, width, height);
      pen.textAlign = "center";
      pen.textBaseline = "top";
      pen.fillText(fitted(pen, name, wide - 4), left + wide / 2, height - BOTTOM + 8);
    });
    y.names.forEach((name, above) => {
      const [, top, , tall] = box(0, above, width, height);
      if (tall < 11) return;
      pen.textAlign = "right";
      pen.textBaseline = "middle";
      pen.fillText(fitted(pen, name, LEFT - 12), LEFT - 8, top + tall / 2);
    });
  }

  function paintCell(pen, cell, [left, top, wide, tall], ink) {
    const share = cell.mean === null ? null : (table.scale.place(cell.mean) ?? 0.5);
    const { lower } = selection.objective;
    const colour = share === null ? ink.grid : sequential(selection.theme, lower ? 1 - share : share);
    pen.fillStyle = colour;
    pen.fillRect(left + 1, top + 1, Math.max(wide - 2, 1), Math.max(tall - 2, 1));
    const text = cell.mean === null ? "–" : shortNumber(cell.mean, 4);
    if (wide < 34 || tall < 14) return;
    pen.fillStyle = share === null ? ink.soft : wantsDarkText(colour) ? "#101418" : "#fff";
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.fillText(fitted(pen, text, wide - 6), left + wide / 2, top + tall / 2);
  }

  function highlight(pen, width, height) {
    if (!table || !store.hovered.size) return;
    pen.strokeStyle = inks().text;
    pen.lineWidth = 2;
    for (const cell of table.cells.values()) {
      if (!cell.runs.some((run) => store.hovered.has(run))) continue;
      const [left, top, wide, tall] = box(cell.at, cell.above, width, height);
      pen.strokeRect(left + 1, top + 1, wide - 2, tall - 2);
    }
  }

  function cellAt({ x, y }) {
    if (!table) return null;
    return [...table.cells.values()].find((cell) => {
      const [left, top, wide, tall] = box(cell.at, cell.above, picture.width, picture.height);
      return x >= left && x < left + wide && y >= top && y < top + tall;
    });
  }

  function move(spot, event) {
    const cell = cellAt(spot);
    store.hover(cell?.runs ?? []);
    if (!cell) return tip(null);
    const [x, y] = columns;
    const spread = cell.values.length > 1 ? ` ± ${shortNumber(deviation(cell.values), 3)}` : "";
    return tip([
      [`${x.column.heading} ${x.names[cell.at]}, ${y.column.heading} ${y.names[cell.above]}`],
      [`${selection.objective.heading} ${cell.mean === null ? "none" : shortNumber(cell.mean)}${spread}`],
      [`${cell.runs.length} run${cell.runs.length === 1 ? "" : "s"}`],
    ], event);
  }

  function pick(cell) {
    if (!cell) return;
    const [x, y] = columns;
    const brushes = { ...store.view.brushes, [x.column.id]: x.brush(cell.at), [y.column.id]: y.brush(cell.above) };
    store.set({ brushes });
  }
}
