// The steps of a sweep as a graph, and those of one run as a table.

import { h, svg } from "./dom.js";
import { duration } from "./numbers.js";
import { counted, progressBar, stateMark } from "./states.js";

/** Return the card with the graph; a click on a state keeps the runs whose step is in it. */
export function makeStepGraph(model, store) {
  const lines = svg("svg", { class: "edges", "aria-hidden": "true" });
  const layers = h("div", { class: "layers" });
  const graph = h("div", { class: "graph", tabindex: "0", role: "region", "aria-label": "Steps" }, layers);
  const element = h("section", { class: "card step-graph" }, h("header", { class: "card-head" }, h("h2", {}, "Steps")), graph);
  new ResizeObserver(connect).observe(graph);
  return { element, refresh, relight() {} };

  function refresh() {
    element.hidden = !model.graph.length;
    const depths = depthsOf(model.graph);
    const columns = Array.from({ length: Math.max(0, ...depths.values()) + 1 }, () => h("div", { class: "layer" }));
    for (const step of model.graph) columns[depths.get(step.name)].append(box(step));
    layers.replaceChildren(lines, ...columns);
    connect();
  }

  function box(step) {
    const counts = new Map(Object.entries(step.states));
    const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
    const marks = counted(counts).map((mark) => (step.gathers ? mark : choice(step, mark)));
    const after = Object.entries(step.after).map(([name, when]) => (when === "ended" ? `${name} ended` : name)).join(", ");
    return h(
      "div",
      { class: "step", "data-step": step.name, title: after ? `after ${after}` : "after nothing" },
      h("header", {}, h("h3", {}, step.name), h("span", { class: "note" }, step.gathers ? `${total}, gathers` : String(total))),
      progressBar(counts),
      h("div", { class: "states" }, ...marks),
    );
  }

  function choice(step, mark) {
    const id = `s:${step.name}`;
    const { state } = mark.dataset;
    const isChosen = store.view.brushes[id]?.names?.[0] === state;
    const { [id]: _, ...others } = store.view.brushes;
    const pick = () => store.set({ brushes: isChosen ? others : { ...others, [id]: { names: [state] } } });
    return h("button", { type: "button", class: "pick", "aria-pressed": String(isChosen), title: `Keep the runs whose ${step.name} is ${state}`, onclick: pick }, mark);
  }

  /** Draw a line from each step to those after it: dashed where any end will do. */
  function connect() {
    const boxes = new Map([...layers.querySelectorAll(".step")].map((node) => [node.dataset.step, node]));
    const isUpright = getComputedStyle(layers).flexDirection === "column";
    const [width, height] = [layers.scrollWidth, layers.scrollHeight];
    lines.setAttribute("viewBox", `0 0 ${width} ${height}`);
    lines.setAttribute("width", width);
    lines.setAttribute("height", height);
    const edges = model.graph.flatMap((step) => Object.entries(step.after).map(([before, when]) => {
      const path = isUpright ? downward(boxes.get(before), boxes.get(step.name)) : rightward(boxes.get(before), boxes.get(step.name));
      return svg("path", { d: path, class: when === "ended" ? "edge is-ended" : "edge", "data-edge": `${before} ${step.name}` });
    }));
    lines.replaceChildren(...edges);
  }
}

function rightward(from, to) {
  const [x, y] = [from.offsetLeft + from.offsetWidth, from.offsetTop + from.offsetHeight / 2];
  const [endX, endY] = [to.offsetLeft, to.offsetTop + to.offsetHeight / 2];
  const middle = (x + endX) / 2;
  return `M${x} ${y} C${middle} ${y} ${middle} ${endY} ${endX} ${endY}`;
}

function downward(from, to) {
  const [x, y] = [from.offsetLeft + from.offsetWidth / 2, from.offsetTop + from.offsetHeight];
  const [endX, endY] = [to.offsetLeft + to.offsetWidth / 2, to.offsetTop];
  const middle = (y + endY) / 2;
  return `M${x} ${y} C${x} ${middle} ${endX} ${middle} ${endX} ${endY}`;
}

/** Return for each step of a graph the length of the longest way to it. */
export function depthsOf(graph) {
  const depths = new Map();
  for (const { name, after } of graph) {
    depths.set(name, Math.max(-1, ...Object.keys(after).map((before) => depths.get(before) ?? -1)) + 1);
  }
  return depths;
}

/** Return a table of a run's steps; `choose` is called with the step whose log is to be shown. */
export function stepTable(model, run, chosen, choose, plot) {
  const rows = Object.entries(run.steps).map(([name, step]) => {
    const { metrics = [] } = run.step_details?.[name] ?? {};
    const link = h("button", { type: "button", class: "name", "aria-pressed": String(name === chosen), title: `Show its log: ${step.logdir}/output.log`, onclick: () => choose(name) }, name);
    const shared = step.shared ? h("span", { class: "note", title: "Other runs use it, too" }, " shared") : null;
    const names = metrics.map((metric) => (model.metrics.has(metric) ? h("button", { type: "button", class: "name", title: `Rank by ${metric}`, onclick: () => plot(metric) }, metric) : h("span", {}, metric)));
    const cells = [stateMark(step), duration(step.elapsed), step.attempt ?? "", Object.keys(step.after).join(", "), h("span", { class: "listed" }, ...names)];
    const why = step.reason ? h("tr", { class: "why-of" }, h("td", { colspan: "6" }, step.reason)) : null;
    return [h("tr", { "data-step": name, class: name === chosen ? "is-chosen" : "" }, h("th", { scope: "row" }, link, shared), ...cells.map((cell) => h("td", {}, cell))), why];
  });
  const head = ["step", "state", "took", "attempt", "after", "metrics"].map((name) => h("th", { scope: "col" }, name));
  return h("table", { class: "attempts steps" }, h("thead", {}, h("tr", {}, ...head)), h("tbody", {}, ...rows.flat().filter(Boolean)));
}
