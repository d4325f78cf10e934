/**
 * `npm run bench`: how fast the paths are that must be fast, each beside a limit measured in the same run, because
 * machines are noisy: the ratio is what to compare, the rate is what this machine did today.
 *
 *   npm run bench             all
 *   npm run bench -- fold     the measures whose name has `fold` in it
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { renderTable } from "../../src/cli/table.js";
import { Missing } from "../components/component.js";
import { botLines, ingestFile, ingestLines, type Memory } from "./engine.js";
import { nodeFlags } from "./flags.js";
import {
  benchModel,
  contacts,
  foldAndDecide,
  foldInOrder,
  foldOneContact,
  foldWithLate,
  type Measured,
} from "./fold.js";
import { grow } from "./grow.js";
import { ingestOverHttp } from "./http.js";
import { kafkaRows } from "./kafka.js";
import { memoryOfTasks } from "./kafka-memory.js";
import { checkRules, parseYaml } from "./model.js";
import { parseOnly, readOnly, replayFile, writeInputs } from "./replay.js";

const rounds = 5;
const inputs = Number(process.env["BENCH_INPUTS"] ?? 1_000_000);

interface Row {
  readonly measured: Measured;
  readonly limit?: { readonly measured: Measured; readonly name: string };
  readonly bar?: string;
}

/** The median of several runs after one that only warms up. */
async function median(measure: () => Measured | Promise<Measured>, runs = rounds): Promise<Measured> {
  await measure();
  const all: Measured[] = [];
  for (let run = 0; run < runs; run++) {
    globalThis.gc?.();
    all.push(await measure());
  }
  all.sort((a, b) => a.seconds / a.count - b.seconds / b.count);
  return all[Math.floor(all.length / 2)]!;
}

function rate({ count, seconds }: Measured): number {
  return Math.round(count / seconds);
}

function printed({ measured, limit, bar }: Row): string[] {
  const perSecond = rate(measured);
  return [
    measured.name,
    perSecond.toLocaleString("en-US"),
    (1e6 / perSecond).toFixed(2),
    limit === undefined ? "" : `${((100 * perSecond) / rate(limit.measured)).toFixed(0)} % of ${limit.name}`,
    bar ?? "",
  ];
}

async function foldRows(): Promise<Row[]> {
  const model = benchModel();
  const histories = contacts(10_000);
  const walk = await median(() => walkOnly(histories));
  const inOrder = await median(() => foldInOrder(model, histories));
  const limit = { measured: inOrder, name: "fold in order" };
  return [
    { measured: walk },
    { measured: inOrder, bar: ">= 800,000/s a core" },
    { measured: await median(() => foldAndDecide(model, histories)), limit },
    { measured: await median(() => foldWithLate(model, histories)), limit },
    { measured: await median(() => foldOneContact(model, inputs), 3), limit },
  ];
}

/** Touches every input and does nothing: what the loop itself costs. */
function walkOnly(histories: ReturnType<typeof contacts>): Measured {
  const started = performance.now();
  let sum = 0;
  let count = 0;
  for (const history of histories) {
    for (const input of history) sum += input.at % 7;
    count += history.length;
  }
  const seconds = (performance.now() - started) / 1000;
  return { name: sum < 0 ? "" : "walk over the inputs (no fold)", count, seconds };
}

async function replayRows(): Promise<Row[]> {
  const directory = mkdtempSync(join(tmpdir(), "scorefold-bench-"));
  try {
    const file = join(directory, "inputs.jsonl");
    writeInputs(file, inputs);
    const parsed = await median(() => parseOnly(file), 3);
    const limit = { measured: parsed, name: "JSON.parse" };
    return [
      { measured: await median(() => readOnly(file), 3) },
      { measured: parsed },
      { measured: await median(() => replayFile(file, directory, "in memory"), 3), limit },
      { measured: await median(() => replayFile(file, directory, "sorted on disk"), 1), limit },
    ];
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function modelRows(): Promise<Row[]> {
  const yaml = await median(parseYaml);
  return [{ measured: yaml }, { measured: await median(checkRules), limit: { measured: yaml, name: "yaml alone" } }];
}

async function engineRows(): Promise<Row[]> {
  const directory = mkdtempSync(join(tmpdir(), "scorefold-bench-"));
  try {
    const count = Math.min(inputs, 400_000);
    const rows: Row[] = [];
    let limit: Row["limit"];
    // The more contacts take turns, the fewer states are in the processor's caches.
    for (const contacts of [count / 1000, count / 100]) {
      const file = join(directory, `inputs-${contacts}.jsonl`);
      writeInputs(file, count, count / contacts);
      limit = { measured: await median(() => parseOnly(file), 3), name: "JSON.parse" };
      const name = `embedded: file to scores on disk, 20 rules, ${contacts.toLocaleString("en-US")} contacts in turn`;
      rows.push({ measured: await median(() => ingestFile(file, directory, name), 3), limit, bar: ">= 60,000/s" });
    }
    const botName = `one contact with ${count.toLocaleString("en-US")} inputs among others, 2 % late`;
    rows.push({ measured: await ingestLines(botLines(count), directory, botName), ...(limit && { limit }) });
    const http = await ingestOverHttp(directory, count / 2);
    rows.push({ measured: http, ...(limit && { limit }), bar: ">= 10,000/s" });
    return rows;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function kafkaGroup(): Promise<Row[]> {
  const found = await ifThere(async () => await kafkaRows(Math.min(inputs, 400_000)));
  if (found === null) return [];
  const { passedThrough, scored, drained, caughtUp } = found;
  return [
    { measured: passedThrough },
    { measured: scored, limit: { measured: passedThrough, name: "passing through" }, bar: ">= 60 %" },
    { measured: drained },
    { measured: caughtUp, limit: { measured: drained, name: "reading" }, bar: ">= 35 %" },
  ];
}

/** Measures, unless a component is missing. */
async function ifThere<T>(measure: () => Promise<T>): Promise<T | null> {
  return await measure().catch((error: unknown) => {
    if (!(error instanceof Missing)) throw error;
    console.error(`left out: ${error.message}`);
    return null;
  });
}

/** Each in a process of its own, so that one does not hold what another has left. */
async function memoryTable(): Promise<void> {
  const rows = [10_000, 100_000, 1_000_000].map((contacts) => {
    const main = fileURLToPath(new URL("./memory.js", import.meta.url));
    const text = execFileSync(process.execPath, [...nodeFlags, main, String(contacts)], { encoding: "utf8" });
    const { anon, resident } = JSON.parse(text) as Memory;
    return [contacts.toLocaleString("en-US"), "", `${anon} MB`, `${resident} MB`, "<= 512 MB"];
  });
  for (const tasks of [4, 32]) {
    const found = await ifThere(async () => await memoryOfTasks(tasks, 100_000, Math.min(inputs, 400_000)));
    if (found === null) break;
    const { contacts, anon, resident } = found;
    rows.push([contacts.toLocaleString("en-US"), String(tasks), `${anon} MB`, `${resident} MB`, "<= 512 MB"]);
  }
  const titles = ["contacts", "tasks on Kafka", "RssAnon, at most", "resident, at most", "bar (RssAnon)"];
  console.log(
    renderTable(
      titles.map((title) => ({ title, align: "right" as const })),
      rows,
    ),
  );
}

async function growTable(): Promise<void> {
  const count = Number(process.env["BENCH_GROW_INPUTS"] ?? 2_000_000);
  const rows: string[][] = [];
  await grow(count, count / 50, ({ inputs: done, perSecond, longestWriteMs, commitP99Ms, anonMb, residentMb }) => {
    const row = [done, perSecond].map((value) => Math.round(value).toLocaleString("en-US"));
    rows.push([...row, ...[longestWriteMs, commitP99Ms, anonMb, residentMb].map((value) => value.toFixed(0))]);
    if (count > 5_000_000) console.error(rows.at(-1)?.join("  "));
  });
  const titles = [
    "inputs in the store",
    "a second, the last million",
    "longest write, ms",
    "commit p99, ms",
    "RssAnon, MB",
    "resident, MB",
  ];
  console.log(
    renderTable(
      titles.map((title) => ({ title, align: "right" as const })),
      rows,
    ),
  );
}

const wanted = process.argv[2] ?? "";
const groups: readonly (readonly [string, () => Promise<Row[]>])[] = [
  ["fold", foldRows],
  ["replay", replayRows],
  ["model", modelRows],
  ["engine", engineRows],
  ["kafka", kafkaGroup],
];
const rows: Row[] = [];
for (const [name, measure] of groups) if (name.includes(wanted)) rows.push(...(await measure()));
if (rows.length > 0) printRows();
if ("memory".includes(wanted)) await memoryTable();
if ("grow".includes(wanted)) await growTable();

function printRows(): void {
  console.log(
    renderTable(
      [
        { title: "path" },
        { title: "a second", align: "right" },
        { title: "us each", align: "right" },
        { title: "ratio to a limit of this run" },
        { title: "bar" },
      ],
      rows.map(printed),
    ),
  );
}
