/** Logs and metrics: what whoever runs an engine watches it by. */
import { type Logger, pino } from "pino";
import { AggregatorRegistry, Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

export type { Logger } from "pino";

/** @param level as pino has them: `fatal` to `trace`, or `silent` */
export function createLogger(level: string, destination: NodeJS.WritableStream): Logger {
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination);
}

/** Values that are asked for when somebody looks. */
export interface Measured {
  readonly tasks: readonly MeasuredTask[];
  /** Size of the embedded log on disk; null: the log is elsewhere. */
  readonly logBytes: number | null;
}

export interface MeasuredTask {
  readonly task: number;
  readonly state: string;
  /** Null: not known yet. */
  readonly lag: number | null;
  /** Seconds that the oldest input that is not folded has been in the log; null: not known. */
  readonly oldestInputAge: number | null;
  readonly contacts: number;
  readonly hotContacts: number;
  readonly hotBytes: number;
  readonly storeBytes: number;
  /** Seconds that timers are behind the clock that they follow; 0 where they follow none. */
  readonly timersBehind: number;
  /** Seconds that the host's clock is ahead of the time that timers follow, where it has jumped; 0: they follow it. */
  readonly clockAhead: number;
  /** How often a loss of the log was accepted, and of how many records at most. */
  readonly acceptedLosses: number;
  readonly acceptedRecords: number;
}

const states = [
  "unassigned",
  "waiting",
  "starting",
  "catching-up",
  "rebuilding",
  "running",
  "retrying",
  "stopping",
  "stopped",
  "failed",
];
const secondsBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** The metrics of an engine, in a registry of their own. */
export function createMetrics(measure: () => Promise<Measured>) {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const counter = <Label extends string>(name: string, help: string, labelNames: readonly Label[] = []) =>
    new Counter({ name: `scorefold_${name}_total`, help, labelNames: [...labelNames], registers });
  const histogram = <Label extends string>(name: string, help: string, labelNames: readonly Label[] = []) =>
    new Histogram({
      name: `scorefold_${name}_seconds`,
      help,
      labelNames: [...labelNames],
      registers,
      buckets: secondsBuckets,
    });
  let measured: Promise<Measured> | null = null;
  /** One look for all gauges of one scrape. */
  const look = (): Promise<Measured> => {
    measured ??= measure().finally(() => {
      measured = null;
    });
    return measured;
  };
  const gauge = (name: string, help: string, value: (task: MeasuredTask) => number | null): void => {
    new Gauge({
      name: `scorefold_${name}`,
      help,
      labelNames: ["task"],
      registers,
      async collect() {
        // Tasks come and go.
        this.reset();
        for (const one of (await look()).tasks) {
          const found = value(one);
          // What is not known must not pass for nothing.
          if (found !== null) this.set({ task: one.task }, found);
        }
      },
    });
  };
  gauge("lag_inputs", "Inputs in the log that are not folded and published yet.", ({ lag }) => lag);
  gauge(
    "oldest_input_age_seconds",
    "How long the oldest input that is not folded and published yet has been in the log.",
    ({ oldestInputAge }) => oldestInputAge,
  );
  gauge("contacts", "Contacts in the store.", ({ contacts }) => contacts);
  gauge("hot_contacts", "Contacts in memory.", ({ hotContacts }) => hotContacts);
  gauge("hot_contacts_bytes", "What contacts take in memory, about.", ({ hotBytes }) => hotBytes);
  gauge("store_bytes", "Size of the store on disk.", ({ storeBytes }) => storeBytes);
  gauge(
    "timers_behind_seconds",
    "How far timers are behind the clock they follow.",
    ({ timersBehind }) => timersBehind,
  );
  gauge(
    "clock_ahead_seconds",
    "How far a host's clock that has jumped is ahead of timers.",
    ({ clockAhead }) => clockAhead,
  );
  gauge("accepted_losses", "Losses of the log that a person has accepted.", ({ acceptedLosses }) => acceptedLosses);
  gauge(
    "accepted_lost_records",
    "Records that accepted losses are about, at most.",
    ({ acceptedRecords }) => acceptedRecords,
  );
  new Gauge({
    name: "scorefold_task_state",
    help: "1 for the state that the task is in.",
    labelNames: ["task", "state"],
    registers,
    async collect() {
      this.reset();
      for (const { task, state } of (await look()).tasks)
        for (const one of states) this.set({ task, state: one }, one === state ? 1 : 0);
    },
  });
  new Gauge({
    name: "scorefold_log_bytes",
    help: "Size of the embedded log on disk.",
    registers,
    async collect() {
      const { logBytes } = await look();
      if (logBytes === null) this.reset();
      else this.set(logBytes);
    },
  });
  return {
    registry,
    inputs: counter("inputs", "Inputs folded."),
    late: counter("late_inputs", "Inputs that came out of order."),
    duplicates: counter("duplicate_inputs", "Inputs that had come before, and changed nothing."),
    rekeyed: counter("rekeyed_inputs", "Inputs passed on to the partition that their contact belongs in."),
    skipped: counter("skipped_records", "Records that the mapping of their topic does not take.", ["topic", "reason"]),
    erased: counter("erased_inputs", "Inputs that an erasure kept from being folded."),
    outputs: counter("outputs", "Outputs published.", ["kind"]),
    deadLetters: counter("dead_letters", "Records put aside.", ["reason"]),
    commits: counter("commits", "Transactions published.", ["kind"]),
    failures: counter("task_failures", "Errors after which the task began anew."),
    foldSeconds: histogram("fold", "Folding one batch of inputs or one slice of timers.", ["kind"]),
    commitSeconds: histogram("commit", "Publishing one transaction.", ["kind"]),
    writeSeconds: histogram("store_write", "Writing to the store."),
  };
}

/** The metrics of a process that has workers, beside theirs. */
export function createWorkersMetrics() {
  const registry = new Registry();
  const restarts = new Counter({
    name: "scorefold_worker_restarts_total",
    help: "Workers that have ended, or were silent and killed, and were started again.",
    labelNames: ["worker", "reason"],
    registers: [registry],
  });
  return { registry, restarts };
}

export type Metrics = ReturnType<typeof createMetrics>;

/** What prom-client says of a metric as JSON. */
interface MetricValues {
  readonly values: readonly { readonly labels: Readonly<Record<string, string | number>> }[];
}

/**
 * The metrics of several processes as one text, told apart by the label `worker`. They are not added up: a sum falls when
 * a process dies, and whoever reads a counter that falls takes what is left of it for what came in since.
 *
 * @param values by the number of the process, as `getMetricsAsJSON` gives them
 */
export async function workerMetrics(
  values: ReadonlyMap<number, readonly object[]>,
): Promise<{ readonly text: string; readonly contentType: string }> {
  const labelled = [...values].map(([worker, metrics]) =>
    (metrics as readonly MetricValues[]).map((metric) => ({
      ...metric,
      values: metric.values.map((value) => ({ ...value, labels: { ...value.labels, worker } })),
      // Of each a single one; others would be left out, or be said of one process for all.
      aggregator: "sum",
    })),
  );
  const registry = AggregatorRegistry.aggregate(labelled);
  return { text: await registry.metrics(), contentType: registry.contentType };
}
