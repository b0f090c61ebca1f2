// Ablation: what each change of a baseline does to the metric's best value, as Python computed it.

import { shortNumber } from "./numbers.js";
import { card } from "./picture.js";
import { h } from "./dom.js";

const HEADS = ["change", "mean", "difference", "deviation", "p", "n", "missing"];

export function makeAblation(model, selection) {
  const body = h("tbody", {});
  const about = h("p", { class: "about" });
  const head = h("thead", {}, h("tr", {}, ...HEADS.map((name) => h("th", { scope: "col" }, name))));
  const scroll = h("div", { class: "sideways", tabindex: "0", role: "region", "aria-label": "Ablation" });
  scroll.append(h("table", { class: "pairs ablation" }, head, body));
  const { element } = card("Ablation", [], scroll, about);
  return { element, refresh, relight: () => {} };

  function refresh() {
    const changes = model.ablations[selection.metric] ?? [];
    element.hidden = !changes.length;
    body.replaceChildren(...changes.map(row));
    about.textContent = `The best ${selection.metric} of each change of the baseline alone, over all runs, whatever is filtered. Differences are of runs that are equal in all else, such as the seed; p is of the paired t-test.`;
  }

  function row({ change, mean, difference, deviation, p, n, missing }) {
    const numbers = [mean, difference, deviation, p].map((number) => h("td", {}, number === null ? "" : shortNumber(number)));
    return h("tr", {}, h("th", { scope: "row" }, change), ...numbers, h("td", {}, n), h("td", {}, missing));
  }
}
