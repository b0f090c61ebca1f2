// The panel beside the page with everything about one run.

import { comparedCurves, referenceChoice, referenceOf, titleOf } from "./compare.js";
import { h } from "./dom.js";
import { numeric, valueOf } from "./model.js";
import { duration, share, shown, size } from "./numbers.js";
import { stateMark } from "./states.js";
import { stepTable } from "./stepgraph.js";

const REDRAWN = ["metric", "data", "against", "phases", "smooth", "logx", "logy", "scales", "x", "theme"];

export function makePanel(model, store, selection, follow, tip) {
  const body = h("div", { class: "panel-body" });
  const title = h("h2", { id: "panel-title", tabindex: "-1" });
  const close = h("button", { type: "button", class: "quiet close", "aria-label": "Close", onclick: shut }, "✕");
  const element = h("aside", { class: "panel", role: "dialog", "aria-labelledby": "panel-title", hidden: true }, h("header", {}, title, close), body);
  let open = null;
  let opener = null;
  let log = null;
  let step = ""; // whose log is shown
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && open) shut();
  });
  return { element, refresh };

  function shut() {
    store.set({ run: "" });
    opener?.focus();
  }

  function refresh(changed) {
    const run = model.runs.find(({ key }) => key === store.view.run) ?? null;
    const isNew = run !== open;
    if (isNew && run) opener = document.activeElement;
    open = run;
    element.hidden = !run;
    document.body.classList.toggle("has-panel", Boolean(run));
    if (isNew) follow(null, "", null);
    if (!run || (!isNew && !REDRAWN.some((what) => changed.has(what)))) return;
    fill(run, isNew, changed.has("against"));
    if (isNew && opener?.closest?.("main")) title.focus();
  }

  function fill(run, isNew, isOther = false) {
    const place = body.scrollTop;
    const shownLog = log?.textContent;
    if (isNew || !run.steps?.[step]) step = run.step ?? "";
    title.textContent = run.key;
    const opened = new Set([...body.querySelectorAll("details[open]")].map((part) => part.dataset.part));
    log = h("pre", { class: "log", tabindex: "0", role: "region", "aria-label": "Log" }, logOf(run) || "Nothing was printed.");
    const other = referenceOf(model, store, selection, run);
    const curves = other ? comparedCurves(model, store, selection, run, other, tip) : null;
    const overlaid = curves?.element ? part("Curves, of both", store.view.against !== "", curves.element) : null;
    overlaid?.addEventListener("toggle", () => curves?.draw());
    body.replaceChildren(...[facts(run), referenceChoice(model, store, run), steps(run), command(run), hparams(run, other), overlaid, code(run, other), attempts(run), logPart(), images(run), artifacts(run)].filter(Boolean));
    if (!isNew) {
      if (!isOther) body.querySelectorAll("details").forEach((part) => part.toggleAttribute("open", opened.has(part.dataset.part)));
      if (model.live && shownLog !== undefined) log.textContent = shownLog;
      body.scrollTop = place;
    } else {
      body.scrollTop = 0;
      follow(run, step, appended);
    }
    requestAnimationFrame(() => {
      curves?.draw();
      log.scrollTop = log.scrollHeight;
    });
  }

  function logOf(run) {
    return step ? run.step_details?.[step]?.log : run.log;
  }

  function steps(run) {
    if (!run.steps) return null;
    const choose = (name) => {
      step = name;
      log.textContent = logOf(run) || "Nothing was printed.";
      follow(run, step, appended);
      fill(run, false);
      body.querySelector(".log").scrollIntoView({ block: "nearest" });
    };
    const table = stepTable(model, run, step, choose, (metric) => store.set({ metric }));
    return part("Steps", true, h("div", { class: "sideways", tabindex: "0", role: "region", "aria-label": "Steps of the run" }, table));
  }

  /** Add new output of a live run to its log; the first part replaces what the page came with. */
  function appended(text, isFirst) {
    const isAtEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 8;
    log.textContent = isFirst ? text : (log.textContent + text).slice(-200_000);
    if (isAtEnd) log.scrollTop = log.scrollHeight;
  }

  function part(name, isOpen, ...content) {
    return h("details", { open: isOpen, "data-part": name.split(/, | \(/)[0] }, h("summary", {}, name), ...content.filter(Boolean));
  }

  function facts(run) {
    const entries = [
      ["epoch", shown(run.epoch)],
      ["an epoch", duration(run.epoch_time)],
      ["elapsed", duration(run.elapsed)],
      ["GPU-hours", gpuHours(run)],
      ["tag", run.tag],
      ["labels", run.labels.join(", ")],
      ["id", run.id],
      ["git", run.git?.commit ? `${run.git.commit.slice(0, 10)}${run.git.dirty ? " with changes" : ""}` : ""],
      ["directory", run.logdir],
      ["note", run.note],
    ].filter(([, text]) => text);
    const reasons = [run.reason, run.cause].filter(Boolean).join(": ");
    const why = reasons ? h("p", { class: "why" }, reasons) : null;
    const list = h("dl", { class: "facts" }, ...entries.flatMap(([name, text]) => [h("dt", {}, name), h("dd", {}, text)]));
    const best = run === selection.best ? h("span", { class: "badge" }, `best by ${selection.metric}`) : null;
    return h("div", {}, h("p", { class: "state-line" }, stateMark(run), best), why, list);
  }

  function gpuHours(run) {
    if ((run.gpu_hours ?? null) === null) return "";
    return shown(run.gpu_hours) + ((run.gpu_idle ?? null) === null ? "" : `, idle ${share(run.gpu_idle)} of the time`);
  }

  function command(run) {
    const text = (step && run.step_details?.[step]?.command) || run.command;
    if (!text) return null;
    const copy = h("button", { type: "button", class: "quiet copy", onclick: () => copyText(copy, text) }, "Copy");
    return part("Command", true, h("div", { class: "with-copy" }, h("pre", { tabindex: "0", role: "region", "aria-label": "Command" }, text), copy));
  }

  /** Return hyperparameters and results, beside those of the best run. */
  function hparams(run, best) {
    const row = (name, mine, its, kind = "") => {
      return h("tr", { class: `${best && mine !== its ? "differs" : ""} ${kind}` }, h("th", { scope: "row", title: model.help[name] }, name), h("td", {}, mine), best ? h("td", {}, its) : null);
    };
    const differs = (name) => best && model.varying.includes(name) && shown(run.hparams.get(name)) !== shown(best.hparams.get(name));
    const rows = model.hparams
      .filter((name) => run.hparams.has(name) || best?.hparams.has(name))
      .sort((left, right) => Number(differs(right)) - Number(differs(left)))
      .map((name) => row(name, shown(run.hparams.get(name)), shown(best?.hparams.get(name))));
    const results = selection.columns
      .filter(({ kind }) => kind === "best")
      .map((column) => [column, valueOf(run, column), best && valueOf(best, column)])
      .filter(([, mine, its]) => mine !== undefined || (its !== null && its !== undefined))
      .map(([column, mine, its]) => row(column.heading, shown(numeric(mine)), shown(numeric(its)), "result"));
    const head = h("tr", {}, h("td", {}), h("th", { scope: "col" }, "this run"), best ? h("th", { scope: "col" }, titleOf(selection, best)) : null);
    const name = best ? `Hyperparameters, against ${best === selection.best ? "the best run" : titleOf(selection, best)}` : "Hyperparameters";
    return part(name, true, h("table", { class: "pairs" }, h("thead", {}, head), h("tbody", {}, ...rows, ...results)));
  }

  function attempts(run) {
    if (!run.attempts.length) return null;
    const lines = run.attempts.map((attempt) => {
      const end = attempt.ended ? (attempt.exit_code === null ? "ended" : `exit status ${attempt.exit_code}`) : "";
      const took = attempt.started && attempt.ended ? duration(attempt.ended - attempt.started) : "";
      const when = attempt.started ? new Date(attempt.started * 1000).toLocaleString() : "not started";
      const job = attempt.farm ? `${attempt.farm} ${attempt.job ?? ""}`.trim() : "";
      const cells = [attempt.attempt, when, took, end, attempt.order ?? "", attempt.host ?? "", job];
      return h("tr", {}, ...cells.map((cell) => h("td", {}, cell)));
    });
    const head = ["", "began", "took", "end", "order", "host", "job"].map((name) => (name ? h("th", { scope: "col" }, name) : h("td", {})));
    const table = h("table", { class: "attempts" }, h("thead", {}, h("tr", {}, ...head)), h("tbody", {}, ...lines));
    return part(`Attempts (${run.attempts.length})`, run.attempts.length > 1, h("div", { class: "sideways", tabindex: "0", role: "region", "aria-label": "Attempts" }, table));
  }

  function logPart() {
    const of = step ? h("p", { class: "about" }, `Of ${step}, as the command; a click on another step shows its.`) : null;
    return part(model.live ? "Log" : "End of the log", true, of, log);
  }

  function code(run, other) {
    if (!other || !run.code_digest || !other.code_digest) return null;
    const its = other === selection.best ? "the best run" : titleOf(selection, other);
    if (run.code_digest === other.code_digest) return part("Code", false, h("p", { class: "about" }, `The same as ${its}'s.`));
    const diff = model.diffs[`${other.code_digest}..${run.code_digest}`];
    if (diff === undefined) return part("Code", false, h("p", { class: "about" }, `Not that of ${its}; sumx --diff shows how it differs, which is not in this report.`));
    const lines = diff.split("\n").map((line) => h("span", { class: diffClass(line) }, `${line}\n`));
    return part(`Code, against ${its}`, true, h("pre", { class: "diff", tabindex: "0", role: "region", "aria-label": "Code" }, ...lines));
  }

  function images(run) {
    if (!run.images.length) return null;
    const figures = run.images.map(({ name, step, src }) => {
      return h("figure", {}, h("img", { src, alt: name, loading: "lazy" }), h("figcaption", {}, step ? `${name}, step ${step}` : name));
    });
    return part(`Images (${run.images.length})`, true, h("div", { class: "images" }, ...figures));
  }

  function artifacts(run) {
    if (!run.artifacts.length) return null;
    const items = run.artifacts.map(({ name, bytes }) => h("li", {}, h("span", {}, name), h("span", { class: "note" }, size(bytes))));
    return part(`Files it kept (${run.artifacts.length})`, false, h("ul", { class: "files" }, ...items));
  }
}

function diffClass(line) {
  if (line.startsWith("+++") || line.startsWith("---") || line.startsWith("@@")) return "at";
  return line.startsWith("+") ? "plus" : line.startsWith("-") ? "minus" : "";
}

/** Copy a text; pages opened as files may not use the clipboard, and copy by execCommand. */
export async function copyText(button, text) {
  const area = h("textarea", { class: "unseen" }, text);
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    button.after(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  const before = button.textContent;
  button.textContent = "Copied";
  setTimeout(() => {
    button.textContent = before;
  }, 1200);
}
