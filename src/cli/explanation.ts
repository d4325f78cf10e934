/** An explanation and a timeline as text for people. */
import { formatInstant } from "../events/time.js";
import type { EpochMs, Output, ScoreChanged, ThresholdCrossed } from "../events/types.js";
import type { ExplainedDimension, ExplainedLine, Explanation } from "../fold/explain.js";
import { visible } from "./io.js";
import { counted, renderTable, signed } from "./table.js";

const nextLinesShown = 5;

type Paint = (style: "bold" | "dim" | "green" | "red" | "yellow" | "cyan", text: string) => string;

/** `2026-06-30 14:05`: minutes are enough for people; data keeps the milliseconds. */
export function shortInstant(at: EpochMs): string {
  return formatInstant(at)
    .replace(/:\d\d\.\d+Z$/, "")
    .replace("T", " ");
}

export function renderExplanation(explanation: Explanation, paint: Paint): string {
  const { score, next } = explanation;
  const grade = score.grade === null ? "" : ` ${visible(score.grade)}`;
  const marks = [score.salesReady ? "sales ready" : "", score.suppressed ? "suppressed" : ""].filter(
    (mark) => mark !== "",
  );
  const head = `${visible(score.contactId)} under ${score.model}@${score.version} as of ${formatInstant(explanation.asOf)}`;
  const lines = [
    paint("bold", head),
    `  score ${paint("bold", String(score.score))}${grade}${marks.length > 0 ? ` (${marks.join(", ")})` : ""}`,
    `  first seen ${shortInstant(explanation.firstSightAt)}, ${
      score.lastActivityAt === null ? "never active" : `last active ${shortInstant(score.lastActivityAt)}`
    }`,
  ];
  if (score.suppressed)
    lines.push("  suppressed: the score shows the model's minimum until the contact is active in a way that lifts it");
  for (const dimension of explanation.dimensions) lines.push("", ...dimensionLines(dimension, paint));
  lines.push("", nextLine(explanation, next));
  return `${lines.join("\n")}\n`;
}

function dimensionLines(dimension: ExplainedDimension, paint: Paint): string[] {
  const { id, points, min, max, sum } = dimension;
  const beyond = Math.abs(sum - points) < 0.0005 ? "" : ` (the lines sum to ${rounded(sum)})`;
  const title = `  ${paint("bold", id)} ${rounded(points)} of ${min}..${max}${beyond}`;
  if (dimension.lines.length === 0) return [title, "    nothing yet"];
  const shown = dimension.lines.filter(({ points, matches }) => Math.abs(points) >= 0.0005 || matches > 0);
  const rows = shown.map((line) => [
    signed(line.points),
    line.rule,
    line.rule === "cut" ? "cut off by the range" : line.pool,
    line.matches === 0 ? "" : counted(line.matches, "match", "matches"),
    line.lastMatchAt === null ? "" : `last ${shortInstant(line.lastMatchAt)}`,
    untilText(line),
  ]);
  const table = renderTable(
    [{ title: "", align: "right" }, { title: "" }, { title: "" }, { title: "" }, { title: "" }, { title: "" }],
    rows,
  );
  // The titles are blank: the lines speak for themselves.
  return [
    title,
    ...table
      .trimEnd()
      .split("\n")
      .slice(2)
      .map((line) => `    ${line}`),
  ];
}

function untilText({ until, points }: ExplainedLine): string {
  return until === null || points === 0 ? "" : `until ${shortInstant(until)}`;
}

function nextLine({ score }: Explanation, next: Explanation["next"]): string {
  if (next === null) return "  next: nothing changes by time alone";
  const shown = next.lines.slice(0, nextLinesShown).map(({ rule, points }) => `${rule} ${signed(points)}`);
  if (next.lines.length > shown.length) shown.push("…");
  const moved = shown.join(", ");
  const change = next.score === score.score ? `score stays ${score.score}` : `score ${score.score} -> ${next.score}`;
  return `  next: ${shortInstant(next.at)} ${next.cause}: ${change}${moved === "" ? "" : ` (${moved})`}`;
}

/**
 * What happened to a contact under one model, oldest first.
 *
 * @param most so many of the latest entries are shown
 */
export function renderTimeline(outputs: readonly Output[], most: number, paint: Paint): string {
  const crossings = new Map<string, ThresholdCrossed[]>();
  const changes: ScoreChanged[] = [];
  for (const output of outputs) {
    if (output.kind === "ScoreChanged") changes.push(output);
    if (output.kind !== "ThresholdCrossed") continue;
    const key = evaluationKey(output);
    crossings.set(key, [...(crossings.get(key) ?? []), output]);
  }
  const entries = merged(changes, crossings);
  const rows = entries.slice(-most).map(({ first, last, steps }) => {
    const moved = steps > 1 ? "" : last.lines.map(({ rule, points }) => `${rule} ${signed(points)}`).join(", ");
    return {
      delta: last.current - (first.previous ?? 0),
      cells: [
        shortInstant(last.at),
        first.previous === null ? "new" : signed(last.current - first.previous),
        String(last.current),
        (last.cause.type ?? last.cause.kind) +
          (steps > 1 ? ` (${steps} times since ${shortInstant(first.at).slice(0, 10)})` : ""),
        moved,
        (crossings.get(evaluationKey(last)) ?? []).map(crossingText).join(", "),
      ],
    };
  });
  const table = renderTable(
    [
      { title: "when (UTC)" },
      { title: "", align: "right" },
      { title: "score", align: "right" },
      { title: "because of", widthMax: 38 },
      { title: "what moved", widthMax: 60 },
      { title: "crossed", widthMax: 50 },
    ],
    rows.map(({ cells }) => cells),
  );
  const [titles = "", underline = "", ...body] = table.trimEnd().split("\n");
  const painted = body.map((line, i) => paint((rows[i]?.delta ?? 0) < 0 ? "red" : "green", line));
  const left = entries.length - rows.length;
  const before = left > 0 ? [paint("dim", `  ${counted(left, "earlier change")} not shown`)] : [];
  return `${[...before, ...[titles, underline, ...painted].map((line) => `  ${line}`)].join("\n")}\n`;
}

interface Entry {
  readonly first: ScoreChanged;
  readonly last: ScoreChanged;
  readonly steps: number;
}

/** Steps of decay that follow one another and cross nothing are one entry: nobody did anything. */
function merged(changes: readonly ScoreChanged[], crossings: ReadonlyMap<string, unknown>): Entry[] {
  const entries: Entry[] = [];
  for (const change of changes) {
    const before = entries.at(-1);
    const isPlainDecay = change.cause.kind === "decay" && !crossings.has(evaluationKey(change));
    if (
      before !== undefined &&
      isPlainDecay &&
      before.last.cause.kind === "decay" &&
      !crossings.has(evaluationKey(before.last))
    ) {
      entries[entries.length - 1] = { first: before.first, last: change, steps: before.steps + 1 };
    } else {
      entries.push({ first: change, last: change, steps: 1 });
    }
  }
  return entries;
}

/** `up 75`, `up alert-sales`, `sales ready`, `grade sql`. */
export function crossingText({ crossing, id, direction }: ThresholdCrossed): string {
  switch (crossing) {
    case "threshold":
      return `${direction} ${id}`;
    case "trigger":
      return visible(id);
    case "salesReady":
      return direction === "up" ? "sales ready" : "no longer sales ready";
    case "grade":
      return `grade ${visible(id)}`;
  }
}

function evaluationKey({ at, current, cause }: ScoreChanged | ThresholdCrossed): string {
  return `${at} ${current} ${cause.kind} ${cause.id ?? ""}`;
}

function rounded(points: number): string {
  return String(Math.round(points * 1000) / 1000);
}
