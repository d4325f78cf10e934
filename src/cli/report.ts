/** What a replay did, in words. */
import { formatInstant } from "../events/time.js";
import { RETRACTION } from "../events/types.js";
import { matchesType } from "../model/compile.js";
import type { Model } from "../model/types.js";
import { nearest } from "../nearest.js";
import type { ReplayReport } from "../rebuild/replay.js";
import { visible } from "./io.js";
import { counted, grouped } from "./table.js";

const slipLengthMax = 3;

/**
 * @param models those that were scored
 * @returns lines with a final newline: the sum first, then whatever deserves a second look
 */
export function describeReport(report: ReplayReport, models: readonly Model[]): string {
  const inputs = Object.values(report.inputs).reduce((sum, count) => sum + count, 0);
  const seconds = report.elapsedMs / 1000;
  const rate = seconds > 0 ? ` (${grouped(Math.round(inputs / seconds))} inputs/s)` : "";
  const lines = [
    `${counted(inputs, "input")} of ${counted(report.contacts, "contact")} -> ${counted(report.scoreLines, "score line")}, ` +
      `${counted(report.outputs.ScoreChanged, "score change")}, ${counted(report.outputs.ThresholdCrossed, "crossing")} ` +
      `in ${seconds.toFixed(1)} s${rate}`,
  ];
  if (report.duplicates > 0) lines.push(`  ${counted(report.duplicates, "duplicate")} changed nothing`);
  if (report.erased > 0) lines.push(`  ${counted(report.erased, "input")} at the very instant of an erasure left out`);
  if (report.afterAsOf > 0) lines.push(`  ${counted(report.afterAsOf, "input")} after the as-of instant left out`);
  for (const file of report.emptyFiles) lines.push(`  ${file}: empty`);
  for (const { field, kind, count, nearest } of report.ignoredFields) {
    const hint = nearest === undefined ? "" : `; did you mean \`${nearest}\`?`;
    lines.push(`  ${counted(count, "line")}: unknown field \`${field}\` of ${kind} inputs was ignored${hint}`);
  }
  lines.push(...hints(report, models).map((hint) => `  ${hint}`));
  const { total, byReason, path } = report.deadLetters;
  if (total > 0) {
    const reasons = Object.entries(byReason).map(([reason, count]) => `${grouped(count)} ${reason}`);
    lines.push(`  ${counted(total, "bad line")} left out (${reasons.join(", ")}): ${path ?? ""}`);
  }
  return `${lines.join("\n")}\n`;
}

/** What is no error, and yet is hardly what was meant. */
function hints({ types, adjustedModels, early }: ReplayReport, models: readonly Model[]): string[] {
  const found: string[] = [];
  const patterns = models.flatMap(patternsOf);
  for (const [type, count] of types) {
    if (type === RETRACTION || matchesType(patterns, type)) continue;
    const near = nearest(type, patterns);
    if (near === undefined || !isNearlySame(type, near)) continue;
    found.push(`no rule matches ${counted(count, "input")} of type \`${visible(type)}\`; did you mean \`${near}\`?`);
  }
  const ids = models.map(({ id }) => id);
  for (const [id, count] of adjustedModels) {
    if (ids.includes(id)) continue;
    const near = nearest(id, ids);
    const hint = near === undefined ? "" : `; did you mean \`${near}\`?`;
    found.push(`${counted(count, "adjustment")} for model \`${visible(id)}\`, which is not scored here${hint}`);
  }
  if (early.count > 0 && early.oldest !== null) {
    const oldest = formatInstant(early.oldest);
    found.push(
      `${counted(early.count, "input")} dated before 1990, the oldest ${oldest}: seconds instead of milliseconds?`,
    );
  }
  return found;
}

function patternsOf({ rules, activity, lift }: Model): string[] {
  return [...rules.flatMap((rule) => ("when" in rule ? rule.when : [])), ...(activity ?? []), ...lift];
}

/** Other types are often near by chance (`social.liked`, `social.shared`): a slip is at the end, or in the case. */
function isNearlySame(a: string, b: string): boolean {
  if (a.toLowerCase() === b.toLowerCase()) return true;
  let same = 0;
  while (same < a.length && a[same] === b[same]) same += 1;
  return same >= Math.max(a.length, b.length) - slipLengthMax;
}
