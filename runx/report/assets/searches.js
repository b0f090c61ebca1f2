// How a search goes: the best over time, what each point was asked from, the rungs, the Pareto front.

import { distinct, themeOf } from "./colours.js";
import { fill, h, select, swatch } from "./dom.js";
import { makeDots } from "./dots.js";
import { shortNumber } from "./numbers.js";
import { card } from "./picture.js";

const HEADS = ["rung: epoch", "came to it", "went on", "stopped there"];

export function makeSearches(model, store, tip) {
  /** @type {any} */
  let search = null;
  let samplers = [];
  const choice = select("search", [], "", (id) => store.set({ of: id }));
  const pair = select("metrics", [], "", (id) => store.set({ front: id }));
  const said = h("div", {});
  const legend = h("p", { class: "legend" });
  const common = { tell, open, light, tip, isLit, file: () => model.experiment };
  const best = makeDots({ ...common, name: "best", label: "The metric of each point as it ended, and the best by then" });
  const asked = makeDots({ ...common, name: "asked", label: "How many points had ended when each point was asked for" });
  const front = makeDots({ ...common, name: "front", label: "Points by two metrics, and those that no other is better than", controls: [pair.element] });
  const body = h("tbody", {});
  const head = h("thead", {}, h("tr", {}, ...HEADS.map((name) => h("th", { scope: "col" }, name))));
  const rungs = h("table", { class: "pairs rungs", title: "Epochs at which runs are judged beside those that came to them before" }, head, body);
  const about = card("Search", [choice.element], said, legend, rungs);
  const plots = [best, asked, front];
  const element = h("section", { class: "grid searches", "aria-label": "Search" }, about.element, best.element, asked.element, front.element);
  return { element, refresh, relight: () => plots.forEach((plot) => plot.relight()) };

  function refresh() {
    search = model.searches.find(({ id }) => id === store.view.of) ?? model.searches[0];
    element.hidden = !search;
    if (!search) return;
    samplers = [...new Set(search.points.map(({ sampler }) => sampler))].filter(Boolean).sort();
    fill(choice.list, model.searches.map(({ id }) => [id, id]), search.id);
    choice.element.hidden = model.searches.length < 2;
    said.replaceChildren(...search.said.map((line) => h("p", {}, line)));
    legend.replaceChildren(...samplers.map((name) => h("span", {}, swatch(colourOf(name)), name)), "● done ○ pruned, or going on × failed");
    best.refresh(overTime());
    asked.refresh(origins());
    front.refresh(frontier());
    rungs.hidden = !search.rungs.length;
    body.replaceChildren(...search.rungs.map(rung));
  }

  function overTime() {
    const points = new Map(search.points.map((point) => [point.number, point]));
    const ended = search.ended.map(([number, value], nth) => ({ point: points.get(number), value, x: nth + 1 }));
    const line = ended.filter(({ value }) => value !== null).map(({ x, value }) => [x, value]);
    const [metric] = search.metrics;
    return { title: `Best ${metric} over time`, text: "Points in the order of their ends, and the best of those that are done by then.", dots: ended.map(({ point, x }) => dot(point, x, point.metrics[0])), line };
  }

  function origins() {
    const points = search.points.filter(({ known }) => known !== null);
    return { title: "What points were asked from", text: "How many points had ended when each one was asked for, by its number.", dots: points.map((point) => dot(point, point.number, point.known)), line: [] };
  }

  /** Return the points by two metrics; a line joins the front where there are no others. */
  function frontier() {
    const { metrics } = search;
    const pairs = metrics.flatMap((_, up) => metrics.slice(0, up).map((_name, across) => [`${across} ${up}`, `${metrics[across]}, ${metrics[up]}`]));
    const chosen = pairs.find(([id]) => id === store.view.front) ?? pairs[0];
    pair.element.hidden = pairs.length < 2;
    if (!chosen) return { title: "", text: "", dots: [], line: [] };
    fill(pair.list, pairs, chosen[0]);
    const [across, up] = chosen[0].split(" ").map(Number);
    const done = search.points.filter(({ state, metrics: values }) => state === "done" && values.length);
    const isBest = (point) => search.best.includes(point.number);
    const dots = done.map((point) => dot(point, point.metrics[across], point.metrics[up], isBest(point) ? "done" : "open"));
    const line = metrics.length === 2 ? done.filter(isBest).map((point) => [point.metrics[across], point.metrics[up]]).sort(([left], [right]) => left - right) : [];
    return { title: `${metrics[up]} over ${metrics[across]}`, text: "Points that are done; filled: the Pareto front, those that no other is better than.", dots, line };
  }

  function dot(point, x, y, look = point.state) {
    return { point, x, y, look, colour: colourOf(point.sampler) };
  }

  function colourOf(sampler) {
    return distinct(themeOf(store.view.theme), Math.max(samplers.indexOf(sampler), 0));
  }

  function rung({ epoch, entered, stopped }) {
    return h("tr", { "data-epoch": epoch }, h("th", { scope: "row" }, epoch), ...[entered, entered - stopped, stopped].map((number) => h("td", {}, number)));
  }

  function tell({ metrics, values, sampler, known, runs }) {
    const numbers = metrics.map((value, nth) => `${search.metrics[nth]} ${shortNumber(value)}`);
    const from = known === null ? [] : [`asked from ${sampler}, when ${known} had ended`];
    return [...numbers, values, ...from, ...runs].filter(Boolean);
  }

  function open({ runs: [key] }) {
    store.set({ run: key });
  }

  function light(point) {
    store.hover(point ? model.runs.filter(({ key }) => point.runs.includes(key)) : []);
  }

  function isLit(point) {
    return [...store.hovered].some(({ key }) => point.runs.includes(key));
  }
}
