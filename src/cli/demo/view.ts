/** The demo on paper: bands, crossings, the top, and one contact's story. */
import type { EpochMs, ScoreLine } from "../../events/types.js";
import type { Explanation } from "../../fold/explain.js";
import type { CompiledModel } from "../../model/compile.js";
import { crossingText, renderExplanation, renderTimeline, shortInstant } from "../explanation.js";
import type { painter } from "../io.js";
import { grouped, renderTable, signed } from "../table.js";
import type { Gallery, RecentCrossing } from "./gallery.js";

type Paint = ReturnType<typeof painter>;

const dayMs = 86_400_000;
const barWidth = 36;
const latelyDays = 7;
const crossingsShown = 12;
const topShown = 8;
const reasonsShown = 4;
const timelineShown = 24;

export function renderGallery(gallery: Gallery, asOf: EpochMs, paint: Paint): string {
  gallery.finish();
  const parts = gallery.models.map((model) => bands(model, gallery.scores.get(model.model.id) ?? [], paint));
  parts.push(crossings(gallery, asOf, paint), top(gallery, paint), story(gallery, paint));
  return parts.join("\n");
}

function bands({ model }: CompiledModel, lines: readonly ScoreLine[], paint: Paint): string {
  const scores = lines.map(({ score }) => score).sort((a, b) => a - b);
  const average = scores.reduce((sum, score) => sum + score, 0) / Math.max(1, scores.length);
  const median = scores[Math.floor(scores.length / 2)] ?? 0;
  const ready = lines.filter(({ salesReady }) => salesReady).length;
  const longest = Math.max(1, ...model.grades.map(({ id }) => lines.filter(({ grade }) => grade === id).length));
  const rows = model.grades.map(({ id, from }, i) => {
    const count = lines.filter(({ grade }) => grade === id).length;
    const next = model.grades[i + 1]?.from;
    const share = (100 * count) / Math.max(1, lines.length);
    const bar = "█".repeat(Math.max(count > 0 ? 1 : 0, Math.round((barWidth * count) / longest)));
    return [
      id,
      `${from}..${next === undefined ? model.score.max : next - 1}`,
      grouped(count),
      `${share.toFixed(1)} %`,
      bar,
    ];
  });
  const table = renderTable(
    [
      { title: "band" },
      { title: "score", align: "right" },
      { title: "contacts", align: "right" },
      { title: "share", align: "right" },
      { title: "" },
    ],
    rows.reverse(),
  );
  const sums = `average ${average.toFixed(1)}, median ${median}, ${grouped(ready)} sales ready`;
  return `${paint("bold", `Bands of ${model.name ?? model.id}`)} (${model.id}@${model.version}: ${sums})\n${indented(table)}`;
}

function crossings(gallery: Gallery, asOf: EpochMs, paint: Paint): string {
  const lately = gallery.crossings
    .filter(({ crossing }) => crossing.at > asOf - latelyDays * dayMs && crossing.crossing !== "grade")
    .sort((a, b) => b.crossing.at - a.crossing.at);
  // What one evaluation crossed is one row.
  const groups = new Map<string, RecentCrossing[]>();
  for (const recent of lately) {
    const { contactId, model, at, current } = recent.crossing;
    const key = `${contactId} ${model} ${at} ${current}`;
    groups.set(key, [...(groups.get(key) ?? []), recent]);
  }
  const rows = [...groups.values()].slice(0, crossingsShown).map((group) => {
    const { crossing, name, position } = group[0]!;
    return [
      shortInstant(crossing.at),
      crossing.current > (crossing.previous ?? 0) ? "▲" : "▼",
      `${crossing.previous ?? 0} -> ${crossing.current}`,
      group.map((each) => crossingText(each.crossing)).join(", "),
      crossing.model,
      name === "" ? crossing.contactId : name,
      position,
      crossing.cause.type ?? crossing.cause.kind,
    ];
  });
  const table = renderTable(
    [
      { title: "when (UTC)" },
      { title: "" },
      { title: "score", align: "right" },
      { title: "crossed", widthMax: 34 },
      { title: "model" },
      { title: "who", widthMax: 22 },
      { title: "", widthMax: 40 },
      { title: "because of", widthMax: 20 },
    ],
    rows,
  );
  const title = `Crossed in the last ${latelyDays} days (${grouped(lately.length)} crossings; the latest)`;
  return `${paint("bold", title)}\n${indented(table)}`;
}

function top(gallery: Gallery, paint: Paint): string {
  const model = gallery.models[0]!.model;
  const rows = gallery
    .top(topShown)
    .map((person) => [
      String(person.explanation.score.score),
      person.name === "" ? person.contactId : person.name,
      person.position,
      reasons(person.explanation),
    ]);
  const table = renderTable(
    [
      { title: "score", align: "right" },
      { title: "who", widthMax: 26 },
      { title: "", widthMax: 44 },
      { title: "why, the largest first", widthMax: 90 },
    ],
    rows,
  );
  return `${paint("bold", `Top contacts of ${model.id}`)}\n${indented(table)}`;
}

function reasons({ dimensions }: Explanation): string {
  return dimensions
    .flatMap(({ lines }) => lines)
    .filter(({ rule }) => rule !== "cut")
    .sort((a, b) => b.points - a.points)
    .slice(0, reasonsShown)
    .map(({ rule, points }) => `${rule} ${signed(Math.round(points * 10) / 10)}`)
    .join(", ");
}

function story(gallery: Gallery, paint: Paint): string {
  const told = gallery.story();
  if (told === undefined) return "";
  const { explanation } = told;
  const { model, version } = explanation.score;
  const own = told.outputs.filter(
    (output) => output.kind !== "ContactErased" && output.model === model && output.version === version,
  );
  const who = [told.name, told.position].filter((part) => part !== "").join(", ");
  return (
    `${paint("bold", `One contact's story: ${who}`)}\n${renderTimeline(own, timelineShown, paint)}\n` +
    `${paint("bold", "and where every point comes from")}\n${indented(renderExplanation(explanation, paint))}\n`
  );
}

function indented(text: string): string {
  return text.replace(/^(?=.)/gm, "  ");
}
