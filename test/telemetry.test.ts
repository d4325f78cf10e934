/** Metrics of several processes as one text. */
import { expect, it } from "vitest";
import { createMetrics, workerMetrics } from "../src/telemetry.js";

async function valuesOf(inputs: number, task: number): Promise<readonly object[]> {
  const counted = {
    task,
    state: "running",
    oldestInputAge: 12.5,
    lag: 0,
    contacts: 7,
    hotContacts: 0,
    hotBytes: 0,
    storeBytes: 0,
    acceptedLosses: 0,
    acceptedRecords: 0,
  };
  const metrics = createMetrics(async () => ({
    tasks: [{ ...counted, timersBehind: 0, clockAhead: 0 }],
    logBytes: null,
  }));
  metrics.inputs.inc(inputs);
  metrics.commitSeconds.observe({ kind: "inputs" }, 0.03);
  return await metrics.registry.getMetricsAsJSON();
}

async function linesOf(values: ReadonlyMap<number, readonly object[]>, name: string): Promise<string[]> {
  const { text } = await workerMetrics(values);
  return text.split("\n").filter((line) => line.startsWith(name));
}

it("workers are told apart, so that one that dies does not make the counts of others fall", async () => {
  const [first, second] = [await valuesOf(100, 0), await valuesOf(40, 1)];
  const both = new Map([
    [0, first],
    [1, second],
  ]);
  expect(await linesOf(both, "scorefold_inputs_total")).toEqual([
    'scorefold_inputs_total{worker="0"} 100',
    'scorefold_inputs_total{worker="1"} 40',
  ]);
  expect(await linesOf(new Map([[1, second]]), "scorefold_inputs_total")).toEqual([
    'scorefold_inputs_total{worker="1"} 40',
  ]);
  expect(await linesOf(both, "scorefold_contacts")).toEqual([
    'scorefold_contacts{task="0",worker="0"} 7',
    'scorefold_contacts{task="1",worker="1"} 7',
  ]);
});

it("nothing of a worker is left out: histograms, and what can't be added up", async () => {
  const one = new Map([[3, await valuesOf(1, 0)]]);
  expect(await linesOf(one, 'scorefold_commit_seconds_bucket{le="0.025"')).toEqual([
    'scorefold_commit_seconds_bucket{le="0.025",kind="inputs",worker="3"} 0',
  ]);
  expect(await linesOf(one, "scorefold_commit_seconds_count")).toEqual([
    'scorefold_commit_seconds_count{kind="inputs",worker="3"} 1',
  ]);
  const { text } = await workerMetrics(one);
  for (const name of ["process_start_time_seconds", "nodejs_eventloop_lag_p99_seconds", "nodejs_version_info"])
    expect(text).toMatch(new RegExp(`^${name}\\{.*worker="3"\\} `, "m"));
});

it("no worker that answers is no text, and no error", async () => {
  expect((await workerMetrics(new Map())).text.trim()).toBe("");
});
