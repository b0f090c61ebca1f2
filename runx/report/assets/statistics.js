// Means, smoothing, and which hyperparameter moves a metric, as `sumx` reckons it (omega squared).

import { compare, numeric, valueOf } from "./model.js";
import { isNumber, shown } from "./numbers.js";

export function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Give the standard deviation of a sample; 0 where there is only one. */
export function deviation(values) {
  if (values.length < 2) return 0;
  const middle = mean(values);
  const squares = values.reduce((sum, value) => sum + (value - middle) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1));
}

/** Smooth the first `length` values: an exponential mean that does not lean on its first value. */
export function smoothed(values, length, weight) {
  const found = new Float32Array(length);
  let sum = 0;
  let total = 0;
  for (let at = 0; at < length; at += 1) {
    if (Number.isFinite(values[at])) {
      sum = sum * weight + values[at];
      total = total * weight + 1;
      found[at] = sum / total;
    } else found[at] = values[at];
  }
  return found;
}

/** Give the place of each number in their order, equal ones the same. */
function ranks(numbers) {
  const order = numbers.map((_, at) => at).sort((one, other) => numbers[one] - numbers[other]);
  const found = new Array(numbers.length);
  for (let from = 0; from < order.length; ) {
    let to = from;
    while (to + 1 < order.length && numbers[order[to + 1]] === numbers[order[from]]) to += 1;
    for (let at = from; at <= to; at += 1) found[order[at]] = (from + to) / 2;
    from = to + 1;
  }
  return found;
}

const BINS = 5;

/** Sort values into few groups: each value its own, or many numbers by fifths. */
function groupsOf(values) {
  const texts = values.map(shown);
  const several = new Set(texts).size;
  if (several <= 8 || !values.every(isNumber)) return texts;
  return ranks(values).map((rank) => Math.floor((rank / values.length) * BINS));
}

/** Say which part of the variance of numbers lies between their groups, less what chance would. */
function explained(numbers, groups) {
  const byGroup = new Map();
  groups.forEach((group, at) => byGroup.set(group, [...(byGroup.get(group) ?? []), numbers[at]]));
  const [count, kinds] = [numbers.length, byGroup.size];
  if (kinds < 2 || count <= kinds) return null;
  const middle = mean(numbers);
  const total = numbers.reduce((sum, value) => sum + (value - middle) ** 2, 0);
  let between = 0;
  for (const members of byGroup.values()) between += members.length * (mean(members) - middle) ** 2;
  const within = (total - between) / (count - kinds);
  return total ? Math.max((between - (kinds - 1) * within) / (total + within), 0) : 0;
}

/** Say whether numbers rise together: 1 they do, -1 they go apart. */
function together(one, other) {
  const [left, right] = [ranks(one), ranks(other)];
  const [middleLeft, middleRight] = [mean(left), mean(right)];
  const sum = left.reduce((total, value, at) => total + (value - middleLeft) * (right[at] - middleRight), 0);
  const scale = Math.sqrt(
    left.reduce((total, value) => total + (value - middleLeft) ** 2, 0) *
      right.reduce((total, value) => total + (value - middleRight) ** 2, 0),
  );
  return scale ? sum / scale : 0;
}

/** Rank hyperparameters by the part of the variance of a result that each alone explains. */
export function importances(runs, hparams, result) {
  const rated = runs.filter((run) => isNumber(numeric(valueOf(run, result))));
  const numbers = rated.map((run) => numeric(valueOf(run, result)));
  const found = hparams.map((name) => {
    const values = rated.map((run) => run.hparams.get(name) ?? null);
    const share = explained(numbers, groupsOf(values));
    const direction = values.every(isNumber) ? together(values, numbers) : 0;
    return { name, share, direction, count: rated.length };
  });
  return found
    .filter((one) => one.share !== null)
    .sort((one, other) => other.share - one.share || compare(one.name, other.name));
}
