// Importance: a bar for the part of the metric's variance that each hyperparameter alone explains.

import { inks } from "./colours.js";
import { makePicture } from "./picture.js";
import { fitted, FONT, SMALL } from "./pen.js";
import { h } from "./dom.js";

const ROW = 28;
const TOP = 8;
const MOST = 12;

export function makeImportance(model, _store, selection, tip) {
  const explanation = h("p", { class: "about" });
  const picture = makePicture({
    title: "Importance",
    name: () => `${model.experiment}-importance`,
    label: "The part of the metric's variance that each hyperparameter explains",
    heightOf: () => TOP * 2 + Math.max(bars().length, 1) * ROW,
    paint,
    move,
    leave: () => tip(null),
  });
  picture.element.append(explanation);
  return { element: picture.element, refresh, relight: picture.relight };

  function bars() {
    return selection.importances.slice(0, MOST);
  }

  function refresh() {
    const [first] = bars();
    explanation.textContent = first
      ? `The part of the variance of ${selection.objective.heading} that a hyperparameter alone explains, over all ${first.runs} runs that have it, whatever is filtered; corrected for chance (ω²). An arrow: whether the metric rises or falls with it.`
      : "Nothing to tell yet: several runs that differ in a hyperparameter are needed.";
    picture.refresh();
  }

  function paint(pen, width) {
    const ink = inks();
    const left = Math.min(130, width * 0.36);
    const full = width - left - 64;
    bars().forEach(({ name, explained, trend }, nth) => {
      const middle = TOP + nth * ROW + ROW / 2;
      pen.font = FONT;
      pen.fillStyle = ink.text;
      pen.textAlign = "right";
      pen.textBaseline = "middle";
      pen.fillText(fitted(pen, name, left - 12), left - 8, middle);
      pen.fillStyle = ink.grid;
      pen.fillRect(left, middle - 7, full, 14);
      pen.fillStyle = ink.accent;
      pen.fillRect(left, middle - 7, Math.max(full * explained, 2), 14);
      pen.font = SMALL;
      pen.fillStyle = ink.soft;
      pen.textAlign = "left";
      const arrow = Math.abs(trend) > 0.15 ? (trend > 0 ? " ↑" : " ↓") : "";
      pen.fillText(`${Math.round(explained * 100)}%${arrow}`, left + full + 8, middle);
    });
  }

  function move({ y }, event) {
    const bar = bars()[Math.floor((y - TOP) / ROW)];
    if (!bar) return tip(null);
    const trend = bar.trend ? [[`rank correlation ${bar.trend.toFixed(2)}`]] : [];
    return tip([[bar.name], [`explains ${(bar.explained * 100).toFixed(1)}% over ${bar.runs} runs`], ...trend], event);
  }
}
