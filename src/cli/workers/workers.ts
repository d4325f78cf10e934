/**
 * Several processes of one host as one engine: they share the tasks as members of the group; this one serves HTTP, asks
 * the worker that has a contact, gathers metrics, and starts a worker again that has died.
 */
import { type ChildProcess, fork } from "node:child_process";
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type {
  Appended,
  ContactAnswer,
  EngineStatus,
  ErasureAnswer,
  ErasureOptions,
  ExplainAnswer,
  Question,
  TaskStatus,
} from "../../api/engine.js";
import type { KafkaConfig } from "../../config/kafka.js";
import type { Config } from "../../config/run.js";
import { ClusterEngine } from "../../engine/cluster-engine.js";
import { InputGateway } from "../../engine/input-gateway.js";
import { mergedScores } from "../../engine/merged-scores.js";
import { totalLag } from "../../engine/task-lag.js";
import { worstOf } from "../../engine/task-metrics.js";
import { ScorefoldError } from "../../errors.js";
import type { Original } from "../../events/dead-letter.js";
import type { ContactId, ScoreLine, TenantId } from "../../events/types.js";
import type { Kafka } from "../../kafka/client.js";
import { partitioner } from "../../kafka/partitioner.js";
import { Backoff } from "../../stream/backoff.js";
import { createWorkersMetrics, type Logger, workerMetrics } from "../../telemetry.js";
import type { Topology } from "../../topics/topology.js";
import { RemoteEngine } from "../remote.js";
import type { ServedEngine } from "../serving.js";
import { topicsOf } from "../topics.js";
import type { FromWorker, ToWorker } from "./messages.js";

export interface WorkersOptions {
  /** The file of the command, which has `worker` as one. */
  readonly command: string;
  readonly count: number;
  readonly config: Config;
  readonly cluster: KafkaConfig;
  readonly topology: Topology;
  readonly kafka: Kafka;
  /** Partitions of each input topic. */
  readonly tasks: number;
  /** In their canonical form. */
  readonly models: readonly string[];
  readonly modelNames: readonly string[];
  readonly logger: Logger;
  /** So many seconds without a word, and a worker is taken to hang. */
  readonly silentSecondsMax?: number;
}

const SILENT_SECONDS_MAX = 30;
const STOP_MS = 60_000;
const METRICS_MS = 5_000;

export class Workers extends ClusterEngine implements ServedEngine {
  readonly #options: WorkersOptions;
  readonly #taskOf: (contactId: ContactId) => number;
  readonly #inputs: InputGateway;
  readonly #workers: readonly Worker[];
  readonly #stopping = new AbortController();
  readonly #metrics = createWorkersMetrics();
  #error: ScorefoldError | null = null;
  #end: () => void = () => undefined;
  readonly #ended: Promise<void>;

  constructor(options: WorkersOptions) {
    super();
    this.#options = options;
    const { cluster, topology, kafka, tasks } = options;
    this.#taskOf = partitioner(cluster.partitioner, tasks);
    this.#inputs = new InputGateway({ kafka, topicOf: topicsOf(topology, cluster).topicOf, taskOf: this.#taskOf });
    this.#ended = new Promise((end) => {
      this.#end = end;
    });
    const events: WorkerEvents = {
      onRestart: (worker, reason) => this.#metrics.restarts.inc({ worker, reason }),
      onFinal: (error) => {
        this.#error ??= error;
        void this.stop();
      },
    };
    this.#workers = Array.from(
      { length: options.count },
      (_, i) => new Worker(i, options, events, this.#stopping.signal),
    );
  }

  get status(): EngineStatus {
    const isStopping = this.#stopping.signal.aborted;
    const all = this.#workers.map(({ status }) => status);
    const worst = worstOf(all)!;
    return {
      state: isStopping ? "stopping" : worst.state,
      detail: worst.detail,
      isUp: !isStopping && all.some(({ isUp }) => isUp),
      isReady: !isStopping && all.every(({ isReady }) => isReady),
      ...totalLag(all),
      contacts: all.reduce((sum, { contacts }) => sum + contacts, 0),
      models: this.#options.modelNames,
    };
  }

  taskStatuses(): readonly TaskStatus[] {
    const all = this.#workers.flatMap(({ tasks }) => tasks);
    // A worker that shows a task that nobody has may not know yet that another one has it now.
    const isHere = ({ task }: TaskStatus): boolean => this.#workers.some((worker) => worker.has(task));
    return all.filter((one) => one.state !== "unassigned" || !isHere(one)).sort((a, b) => a.task - b.task);
  }

  /** The processes, those that are there. */
  get processes(): readonly { readonly worker: number; readonly pid: number | null }[] {
    return this.#workers.map(({ pid }, worker) => ({ worker, pid }));
  }

  /** Resolves when it has ended. @throws what a worker has ended with, where another one would end with the same */
  async ended(): Promise<void> {
    await this.#ended;
    if (this.#error !== null) throw this.#error;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#workers.map((worker) => worker.ended));
    await this.#inputs.close();
    this.#end();
  }

  async append(lines: readonly Original[]): Promise<Appended> {
    return await this.#inputs.append(lines);
  }

  async scores(contact: ContactId, question: Question): Promise<ContactAnswer | null> {
    return await this.#ownerOf(contact).scores(contact, question);
  }

  async explain(contact: ContactId, question: Question): Promise<ExplainAnswer | null> {
    return await this.#ownerOf(contact).explain(contact, question);
  }

  async *allScores(question: Question, isPartial = false): AsyncGenerator<readonly ScoreLine[]> {
    const tasks = this.taskStatuses().filter(({ state }) => state !== "unassigned").length;
    if (!isPartial && tasks !== this.#options.tasks) {
      throw new ScorefoldError(
        "elsewhere",
        `${tasks} of the ${this.#options.tasks} tasks are on this host; ask each host of the group with tasks=own`,
      );
    }
    const remotes = this.#workers.flatMap(({ tasks: own, remote }) => (own.length > 0 && remote ? [remote] : []));
    yield* mergedScores(remotes.map((remote) => remote.allScores(question, true)));
  }

  async erase(contactId: ContactId, tenantId: TenantId, options: ErasureOptions): Promise<ErasureAnswer> {
    return await this.#ownerOf(contactId).erase(contactId, tenantId, options);
  }

  async metrics(): Promise<{ text: string; contentType: string }> {
    const values = await Promise.all(this.#workers.map((worker) => worker.metricValues()));
    const told = await workerMetrics(new Map(values.flatMap((one, worker) => (one === null ? [] : [[worker, one]]))));
    return { ...told, text: `${told.text}\n${await this.#metrics.registry.metrics()}` };
  }

  #ownerOf(contact: ContactId): RemoteEngine {
    const task = this.#taskOf(contact);
    const remote = this.#workers.find((worker) => worker.has(task))?.remote;
    if (remote != null) return remote;
    throw new ScorefoldError("elsewhere", `the contact belongs to task ${task}, which is not on this host now`);
  }
}

const unknown: EngineStatus = {
  state: "starting",
  detail: null,
  isUp: false,
  isReady: false,
  lag: null,
  oldestInputAgeMs: null,
  contacts: 0,
  models: [],
};

interface WorkerEvents {
  /** One has ended, or hangs, and is started again. */
  readonly onRestart: (worker: number, reason: "ended" | "silent") => void;
  /** One has ended with what another would end with too. */
  readonly onFinal: (error: ScorefoldError) => void;
}

/** How a worker has ended. */
interface End {
  readonly how: string;
  readonly reason: "ended" | "silent";
  /** Null: another one may do better. */
  readonly final: ScorefoldError | null;
}

/** One worker process after the other. */
class Worker {
  /** Resolves when it was asked to stop and has. */
  readonly ended: Promise<void>;
  status: EngineStatus = unknown;
  tasks: readonly TaskStatus[] = [];
  /** Null while it does not answer. */
  remote: RemoteEngine | null = null;
  readonly #number: number;
  readonly #options: WorkersOptions;
  readonly #events: WorkerEvents;
  readonly #backoff = new Backoff();
  #child: ChildProcess | null = null;
  #request = 0;
  readonly #waiting = new Map<number, (values: readonly object[] | null) => void>();

  constructor(number: number, options: WorkersOptions, events: WorkerEvents, stopping: AbortSignal) {
    this.#number = number;
    this.#events = events;
    this.#options = options;
    this.ended = this.#run(stopping);
  }

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  has(task: number): boolean {
    return this.tasks.some((one) => one.task === task && one.state !== "unassigned");
  }

  /** Null where it does not answer in time. */
  async metricValues(): Promise<readonly object[] | null> {
    const child = this.#child;
    if (child === null || this.remote === null) return null;
    const request = ++this.#request;
    return await new Promise((resolve) => {
      const answer = (values: readonly object[] | null): void => {
        clearTimeout(timer);
        this.#waiting.delete(request);
        resolve(values);
      };
      const timer = setTimeout(() => answer(null), METRICS_MS);
      this.#waiting.set(request, answer);
      this.#tell(child, { kind: "metrics", request });
    });
  }

  async #run(stopping: AbortSignal): Promise<void> {
    while (!stopping.aborted) {
      const { how, reason, final } = await this.#life(stopping);
      if (stopping.aborted) return;
      if (final !== null) return this.#events.onFinal(final);
      const wait = this.#backoff.next();
      this.status = { ...unknown, state: "retrying", detail: `worker ${this.#number} ${how}; it is started again` };
      this.#events.onRestart(this.#number, reason);
      this.#options.logger.error({ worker: this.#number, waitMs: wait }, `a worker ${how}; it is started again`);
      await sleep(wait, undefined, { signal: stopping }).catch(() => undefined);
    }
  }

  async #life(stopping: AbortSignal): Promise<End> {
    const { command, config, cluster, topology, models } = this.#options;
    const token = randomBytes(24).toString("base64url");
    const child = fork(command, ["worker"], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      // Of topics there are maps.
      serialization: "advanced",
    });
    this.#child = child;
    let failed: Extract<FromWorker, { kind: "failed" }> | null = null;
    let silentSeconds = 0;
    let isSilent = false;
    child.on("message", (message: FromWorker) => {
      silentSeconds = 0;
      if (message.kind === "up") this.remote = new RemoteEngine(message.url, token);
      if (message.kind === "status") {
        ({ status: this.status, tasks: this.tasks } = message);
        if (this.status.isReady) this.#backoff.reset();
      }
      if (message.kind === "metrics") this.#waiting.get(message.request)?.(message.values);
      if (message.kind === "failed") failed = message;
    });
    // Counted by its own turns: a host that has slept must not take all workers for silent.
    const watch = setInterval(() => {
      silentSeconds += 1;
      if (isSilent || silentSeconds <= (this.#options.silentSecondsMax ?? SILENT_SECONDS_MAX)) return;
      isSilent = true;
      child.kill("SIGKILL");
    }, 1_000);
    const exited = new Promise<string>((resolve) => {
      child.once("error", (error) => resolve(`could not be started: ${error.message}`));
      child.once("exit", (code, signal) => resolve(`has ended (${signal ?? `exit code ${code}`})`));
    });
    const stop = (): void => this.#tell(child, { kind: "stop" });
    stopping.addEventListener("abort", stop);
    this.#tell(child, { kind: "start", worker: this.#number, config, cluster, topology, models, token });
    const late = new AbortController();
    void (async () => {
      if (!stopping.aborted) await new Promise((resolve) => stopping.addEventListener("abort", resolve));
      await sleep(STOP_MS, undefined, { signal: late.signal }).catch(() => undefined);
      // What it has not written is folded again.
      if (!late.signal.aborted) child.kill("SIGKILL");
    })();
    const exit = await exited;
    clearInterval(watch);
    late.abort();
    stopping.removeEventListener("abort", stop);
    this.#child = null;
    this.remote = null;
    this.tasks = [];
    this.status = unknown;
    for (const answer of this.#waiting.values()) answer(null);
    if (isSilent) return { how: `was silent for ${silentSeconds} s and was killed`, reason: "silent", final: null };
    return endOf(exit, failed);
  }

  #tell(child: ChildProcess, message: ToWorker): void {
    // One that is gone is told of by its exit.
    if (child.connected) child.send(message, () => undefined);
  }
}

function endOf(exit: string, failed: Extract<FromWorker, { kind: "failed" }> | null): End {
  if (failed === null) return { how: exit, reason: "ended", final: null };
  const { message, code, isFinal } = failed;
  const final = isFinal ? new ScorefoldError(code, message) : null;
  return { how: `${exit}: ${message}`, reason: "ended", final };
}
