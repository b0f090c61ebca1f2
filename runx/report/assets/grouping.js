// Groups of runs as rows of the table: the mean and the deviation of each number.

import { compare, measuredNumber, valueOf } from "./model.js";
import { shown } from "./numbers.js";
import { deviation, mean, rounded } from "./statistics.js";

const SPREAD = new Set(["metric", "best", "epoch", "epoch_time", "elapsed", "gpu_hours", "gpu_idle"]);

/** Return the columns that say something of groups: numbers, and what all runs of each agree in. */
export function groupColumns(columns, groups) {
  const agree = (column) => groups.every(({ runs }) => new Set(runs.map((run) => JSON.stringify(valueOf(run, column) ?? null))).size < 2);
  return columns.filter((column) => column.id === "name" || SPREAD.has(column.kind) || agree(column));
}

/** Return the numbers that the runs of a group have in a column. */
export function numbersOf(runs, column) {
  return runs.map((run) => measuredNumber(valueOf(run, column))).filter((value) => value !== undefined);
}

/** Return what a group has in a column: its mean, else what its runs agree in. */
export function groupValue(group, column) {
  if (column.id === "name") return group.nth;
  if (!SPREAD.has(column.kind)) return valueOf(group.runs[0], column);
  const numbers = numbersOf(group.counting, column);
  return numbers.length ? mean(numbers) : undefined;
}

/** Return the text of a group's cell, as `sumx --by` writes it. */
export function groupText(group, column, expected) {
  if (!SPREAD.has(column.kind)) return shown(valueOf(group.runs[0], column));
  const numbers = numbersOf(group.counting, column);
  return numbers.length ? rounded(numbers, expected) : "";
}

/** Return the fields of a group in a file: of a number the mean, the deviation and how many. */
export function groupFields(group, column) {
  if (column.id === "name") return [group.label];
  if (!SPREAD.has(column.kind)) return [valueOf(group.runs[0], column)];
  const numbers = numbersOf(group.counting, column);
  return numbers.length ? [groupValue(group, column), deviation(numbers), numbers.length] : ["", "", 0];
}

/** Return the headings of a column in such a file. */
export function groupHeadings(column) {
  if (column.id === "name") return ["group"];
  return SPREAD.has(column.kind) ? ["mean", "std", "n"].map((part) => `${column.heading}:${part}`) : [column.heading];
}

/** Return groups sorted by a column, those without a value last. */
export function sortedGroups(groups, column, isDown) {
  return [...groups].sort((...pair) => {
    const values = pair.map((group) => (column ? groupValue(group, column) : group.nth));
    const order = compare(...values.map((value) => (Number.isNaN(value) ? "nan" : value)));
    const isMissing = values.some((value) => value === undefined || value === null || Number.isNaN(value));
    return (isDown && !isMissing ? -order : order) || pair[0].nth - pair[1].nth;
  });
}
