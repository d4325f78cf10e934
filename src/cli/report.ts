/** What a replay did, in words. */
import type { ReplayReport } from "../rebuild/replay.js";
import { counted, grouped } from "./table.js";

/** @returns lines with a final newline: the sum first, then whatever deserves a second look. */
export function describeReport(report: ReplayReport): string {
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
  const { total, byReason, path } = report.deadLetters;
  if (total > 0) {
    const reasons = Object.entries(byReason).map(([reason, count]) => `${grouped(count)} ${reason}`);
    lines.push(`  ${counted(total, "bad line")} left out (${reasons.join(", ")}): ${path ?? ""}`);
  }
  return `${lines.join("\n")}\n`;
}
