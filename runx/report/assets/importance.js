// Bars: the part of the metric's variance that each hyperparameter alone explains.

import { inks } from "./colours.js";
import { makePicture } from "./picture.js";
import { fitted, FONT, SMALL } from "./pen.js";
import { h } from "./dom.js";

const ROW = 28;
const TOP = 8;
const MOST = 12;

export function makeImportance(model, store, selection, tip) {
  const about = h("p", { class: "about" });
  const picture = makePicture({
    title: "Importance",
    name: () => `${model.experiment}-importance`,
    label: "The part of the metric's variance that each hyperparameter explains",
    heightOf: () => TOP * 2 + Math.max(bars().length, 1) * ROW,
    paint,
    move,
    leave: () => tip(null),
  });
  picture.element.append(about);
  return { element: picture.element, refresh, relight: picture.relight };

  function bars() {
    return selection.importances.slice(0, MOST);
  }

  function refresh() {
    about.textContent = bars().length
      ? `The part of the variance of ${selection.objective.heading} that a hyperparameter alone explains, corrected for chance (ω²). An arrow: whether the metric rises or falls with it.`
      : "Nothing to tell yet: several runs for each value of a hyperparameter are needed.";
    picture.refresh();
  }

  function paint(pen, width) {
    const ink = inks();
    const left = Math.min(130, width * 0.36);
    const full = width - left - 64;
    bars().forEach(({ name, share, direction }, nth) => {
      const middle = TOP + nth * ROW + ROW / 2;
      pen.font = FONT;
      pen.fillStyle = ink.text;
      pen.textAlign = "right";
      pen.textBaseline = "middle";
      pen.fillText(fitted(pen, name, left - 12), left - 8, middle);
      pen.fillStyle = ink.grid;
      pen.fillRect(left, middle - 7, full, 14);
      pen.fillStyle = ink.accent;
      pen.fillRect(left, middle - 7, Math.max(full * share, 2), 14);
      pen.font = SMALL;
      pen.fillStyle = ink.soft;
      pen.textAlign = "left";
      const arrow = Math.abs(direction) > 0.15 ? (direction > 0 ? " ↑" : " ↓") : "";
      pen.fillText(`${Math.round(share * 100)}%${arrow}`, left + full + 8, middle);
    });
  }

  function move({ y }, event) {
    const bar = bars()[Math.floor((y - TOP) / ROW)];
    if (!bar) return tip(null);
    const trend = bar.direction ? [[`rank correlation ${bar.direction.toFixed(2)}`]] : [];
    return tip([[bar.name], [`explains ${(bar.share * 100).toFixed(1)}% over ${bar.count} runs`], ...trend], event);
  }
}
