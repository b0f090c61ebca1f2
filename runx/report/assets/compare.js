// Two runs side by side: the run whose details are shown, and the best one or another.

import { distinct } from "./colours.js";
import { makeChart } from "./curves.js";
import { h, select, swatch } from "./dom.js";
import { runName } from "./table.js";

const MOST = 8;

/** Return the run that another is compared with: the one chosen, else the best; null for itself. */
export function referenceOf(model, store, selection, run) {
  const other = model.runs.find(({ key }) => key === store.view.against) ?? selection.best;
  return other && other !== run ? other : null;
}

/** Return what a run is called beside another. */
export function titleOf(selection, other) {
  return other === selection.best ? "best run" : runName(other)[0];
}

/** Return the choice of the run that is compared with. */
export function referenceChoice(model, store, run) {
  const others = model.runs.filter((other) => other !== run).map(({ key }) => [key, key]);
  if (!others.length) return null;
  const known = others.some(([key]) => key === store.view.against);
  return select("compare with", [["", "the best run"], ...others], known ? store.view.against : "", (against) => store.set({ against })).element;
}

/** Return the curves of two runs over each other, and a function that draws them once they are shown. */
export function comparedCurves(model, store, selection, run, other, tip) {
  const colours = new Map([[run, distinct(selection.theme, 0)], [other, distinct(selection.theme, 1)]]);
  const pair = { drawn: [run, other], groups: null, colourOf: (each) => colours.get(each) };
  const measured = ({ courses }, name) => [...courses.values()].some(({ metrics }) => metrics.has(name));
  const names = [selection.metric, ...model.metrics.keys()].filter((name, at, all) => all.indexOf(name) === at && measured(run, name) && measured(other, name));
  const charts = names.slice(0, MOST).map((name) => makeChart(name, model, store, pair, tip));
  const key = [run, other].map((each) => {
    return h("span", {}, swatch(colours.get(each)), each === run ? "this run" : titleOf(selection, other));
  });
  const element = charts.length ? h("div", { class: "compared" }, h("div", { class: "legend" }, ...key), ...charts.map((chart) => chart.element)) : null;
  return { element, draw: () => charts.forEach((chart) => chart.refresh()) };
}
