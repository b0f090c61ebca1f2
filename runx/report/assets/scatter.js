// A scatter of any two columns, a dot a run; dragging over dots keeps those runs.

import { select, fill } from "./dom.js";
import { inks } from "./colours.js";
import { card, saveButtons } from "./picture.js";
import { makePlot } from "./plot.js";
import { numeric, valueOf } from "./model.js";
import { duration, isNumber, scaleOf, shown } from "./numbers.js";
import { neat } from "./parallel.js";

const HEIGHT = 300;

export function makeScatter(model, store, selection, tip) {
  let axes = null;
  const across = select("x", [], "", (id) => store.set({ across: id }));
  const up = select("y", [], "", (id) => store.set({ up: id }));
  const plot = makePlot({
    height: HEIGHT,
    label: "Scatter of two columns, one dot a run",
    options: () => ({
      x: axes.x.extent,
      y: axes.y.extent,
      logX: axes.x.scale.log,
      logY: axes.y.scale.log,
      pad: 0.05,
      xText: axes.x.text,
      yText: axes.y.text,
      xSplits: axes.x.splits,
      ySplits: axes.y.splits,
      key: `${axes.x.scale.kind} ${axes.y.scale.kind}`,
      dragBoth: true,
    }),
    paint,
    highlight,
    move,
    leave: () => {
      store.hover([]);
      tip(null);
    },
    select: brush,
    reset: () => {
      const { [axes.x.column.id]: x, [axes.y.column.id]: y, ...others } = store.view.brushes;
      if (x || y) store.set({ brushes: others });
    },
  });
  const title = () => `${axes.y.column.heading} over ${axes.x.column.heading}`;
  const saves = saveButtons(() => `${model.experiment}-scatter`, plot.size, (pen, width, height) => plot.paintAll(pen, width, height, title()));
  const { element } = card("Scatter", [across.element, up.element, saves], plot.host);
  return { element, refresh, relight: plot.relight };

  function refresh() {
    const columns = selection.columns.filter(({ kind }) => !["name", "experiment", "tag"].includes(kind));
    const options = columns.map((column) => [column.id, column.heading]);
    const usual = selection.strongest;
    axes = {
      x: axis("x", store.view.across, usual === undefined ? "epoch" : `h:${usual}`),
      y: axis("y", store.view.up, selection.objective?.id ?? "epoch"),
    };
    fill(across.list, options, axes.x.column.id);
    fill(up.list, options, axes.y.column.id);
    plot.refresh();
  }

  function axis(side, id, usual) {
    const column = selection.byId.get(id) ?? selection.byId.get(usual) ?? selection.byId.get("epoch");
    const scale = scaleOf(model.runs.map((run) => plain(run, column)));
    if (scale.kind === "name") {
      const { names } = scale;
      const text = (nth) => brief(names[nth] ?? "", side === "x" ? plot.size()[0] / names.length / 7 : 7);
      const place = (value) => (value === undefined ? null : names.indexOf(shown(value)));
      return { column, scale, place, text, extent: [-0.5, Math.max(names.length - 0.5, 0.5)], splits: names.map((_, nth) => nth) };
    }
    const text = ["epoch_time", "elapsed"].includes(column.kind) ? duration : null;
    return { column, scale, text, place: (value) => (isNumber(value) ? value : null), extent: [scale.low, scale.high] };
  }

  function plain(run, column) {
    const value = valueOf(run, column);
    if (column.kind !== "metric" && column.kind !== "best") return value;
    return isNumber(numeric(value)) ? numeric(value) : undefined;
  }

  function spot(run, map) {
    const x = axes.x.place(plain(run, axes.x.column));
    const y = axes.y.place(plain(run, axes.y.column));
    if (x === null || y === null) return null;
    // Runs of one name would cover each other: each is moved aside, always by the same amount.
    const aside = axes.x.scale.kind === "name" ? (((run.index * 0.618) % 1) - 0.5) * 0.3 : 0;
    return [map.x(x + aside), map.y(y)];
  }

  function paint(pen, map) {
    pen.globalAlpha = selection.drawn.length > 200 ? 0.6 : 0.85;
    for (const run of selection.drawn) dot(pen, map, run, selection.drawn.length > 200 ? 3 : 4.5);
    pen.globalAlpha = 1;
  }

  function dot(pen, map, run, radius) {
    const place = spot(run, map);
    if (!place) return;
    pen.fillStyle = selection.colourOf(run);
    pen.beginPath();
    pen.arc(...place, radius, 0, 2 * Math.PI);
    pen.fill();
  }

  function highlight(pen, map) {
    if (!store.hovered.size) return;
    const ink = inks();
    pen.globalAlpha = 0.6;
    pen.fillStyle = ink.card;
    pen.fillRect(0, 0, map.width, map.height);
    pen.globalAlpha = 1;
    for (const run of store.hovered) dot(pen, map, run, 7);
  }

  function move({ x, y }, event) {
    let best = { distance: 16 };
    for (const run of selection.drawn) {
      const place = spot(run, plot.map);
      const distance = place ? Math.hypot(place[0] - x, place[1] - y) : Infinity;
      if (distance < best.distance) best = { distance, run };
    }
    store.hover(best.run ? [best.run] : []);
    const line = ({ column }) => [`${column.heading} ${shown(valueOf(best.run, column))}`];
    tip(best.run ? [[best.run.key, selection.colourOf(best.run)], line(axes.x), line(axes.y)] : null, event);
  }

  function brush(box) {
    const brushes = { ...store.view.brushes };
    for (const side of ["x", "y"]) {
      const { column, scale } = axes[side];
      const [low, high] = box[side];
      brushes[column.id] =
        scale.kind === "number"
          ? [low, high].map(neat)
          : { names: scale.names.filter((_, nth) => nth >= low && nth <= high) };
    }
    store.set({ brushes });
  }
}


/** Return a name, shortened to a number of letters. */
function brief(name, length) {
  return name.length > length ? `${name.slice(0, Math.max(Math.floor(length) - 1, 1))}…` : name;
}
