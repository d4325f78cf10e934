/**
 * The engine on a cluster: as many tasks as the consumer group gives to this process, each with a store of its own, over
 * the topics of one application.
 */
import type {
  Appended,
  ContactAnswer,
  Engine,
  EngineStatus,
  ErasureAnswer,
  ErasureOptions,
  ExplainAnswer,
  LeftInTopic,
  Question,
  TaskStatus,
} from "../api/engine.js";
import { ScorefoldError } from "../errors.js";
import type { Original } from "../events/dead-letter.js";
import type { ContactId, Input, Profile, ScoreLine, TenantId } from "../events/types.js";
import { registeredAvro } from "../kafka/avro.js";
import type { Kafka } from "../kafka/client.js";
import { Group, letGo } from "../kafka/group.js";
import { LagWatch } from "../kafka/lag-watch.js";
import { otherPartitions } from "../kafka/layout.js";
import { KafkaLog } from "../kafka/log.js";
import type { OutputTopics } from "../kafka/output-topics.js";
import { type PartitionerName, partitioner } from "../kafka/partitioner.js";
import type { RegistrySettings } from "../kafka/registry.js";
import { type Settings, settingsOf } from "../kafka/settings.js";
import { KafkaModels } from "../kafka/shared-models.js";
import { SharedSettings } from "../kafka/shared-settings.js";
import { openCluster } from "../kafka/start.js";
import type { CompiledModel } from "../model/compile.js";
import { Backoff } from "../stream/backoff.js";
import type { Clock } from "../stream/clock.js";
import { defaultLimits, type TaskLimits } from "../stream/limits.js";
import type { Topic, Waits } from "../stream/log.js";
import { ModelSet } from "../stream/models.js";
import { FOLD_VERSION, type Task, type TaskEvents } from "../stream/task.js";
import { createMetrics, type Logger, type Metrics } from "../telemetry.js";
import type { RecordMapper } from "../topics/record.js";
import { AssignedTasks } from "./assigned-tasks.js";
import { CauseLog } from "./cause-log.js";
import { ClusterEngine } from "./cluster-engine.js";
import type { DataDirectory } from "./directory.js";
import { eraseContact } from "./erasure.js";
import { InputGateway } from "./input-gateway.js";
import { leftInTopics } from "./left-in-topics.js";
import { mergedScores } from "./merged-scores.js";
import { OwnedTask } from "./owned-task.js";
import { allScores, explanationOf, scoresOf } from "./queries.js";
import { SettingsWait } from "./settings-wait.js";
import { limitsOf, memoryOf } from "./shares.js";
import { countingEvents } from "./task-metrics.js";
import { TaskOverview } from "./task-overview.js";

export interface KafkaEngineOptions {
  readonly directory: DataDirectory;
  readonly kafka: Kafka;
  readonly app: string;
  readonly inputTopics: readonly Topic[];
  readonly outputTopics: OutputTopics;
  /** How values become inputs, by topic; those of other topics are inputs as they are. */
  readonly mappers: ReadonlyMap<Topic, RecordMapper>;
  /** The same as texts, to be compared with those of other processes. */
  readonly meanings: ReadonlyMap<Topic, string>;
  /** Where an input goes that comes over HTTP. */
  readonly topicOf: (input: Input) => Topic;
  /** Of Avro values; null: all values are JSON. */
  readonly registry?: RegistrySettings | null;
  readonly partitioner: PartitionerName;
  /** Whether the stores may be the only copies of inputs that the topics have dropped. */
  readonly isHistoryLocal: boolean;
  readonly models: readonly CompiledModel[];
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits?: Partial<TaskLimits>;
  readonly sessionMs?: number;
  /** Told of what the start waits for. */
  readonly waits?: Waits;
  /** Between two looks at how far tasks are behind. */
  readonly lagLookMs?: number;
}

/** Between two looks at members of this host that have died. */
const DEAD_MEMBERS_MS = 1_000;
const PROGRESS_MS = 5_000;

export class KafkaEngine extends ClusterEngine implements Engine {
  readonly #options: KafkaEngineOptions;
  readonly #log: KafkaLog;
  readonly #tasks: number;
  readonly #taskOf: (contactId: ContactId) => number;
  readonly #metrics: Metrics;
  readonly #lag: LagWatch;
  readonly #overview: TaskOverview;
  readonly #inputs: InputGateway;
  readonly #models: readonly string[];
  readonly #settings: SharedSettings;
  readonly #wait: SettingsWait;
  #group: Group;
  readonly #owned = new AssignedTasks((task, share) => new OwnedTask(this.#taskOptions(task, share)));
  #hasJoined = false;
  readonly #stopping = new AbortController();
  #error: unknown = null;
  #end: () => void = () => undefined;
  readonly #ended: Promise<void>;

  private constructor(options: KafkaEngineOptions, log: KafkaLog, tasks: number, settings: SharedSettings) {
    super();
    this.#options = options;
    this.#settings = settings;
    this.#wait = new SettingsWait(settings, options.clock, options.logger);
    this.#log = log;
    this.#tasks = tasks;
    this.#taskOf = partitioner(options.partitioner, tasks);
    const { kafka, topicOf } = options;
    this.#inputs = new InputGateway({ kafka, topicOf, taskOf: this.#taskOf });
    this.#models = new ModelSet(options.models).names;
    this.#metrics = createMetrics(async () => ({
      tasks: await this.#overview.measured(),
      logBytes: null,
    }));
    this.#ended = new Promise((end) => {
      this.#end = end;
    });
    this.#group = this.#makeGroup();
    this.#lag = new LagWatch({
      kafka,
      groupId: options.app,
      topics: log.inputTopics,
      tasks,
      own: () => this.#owned.numbers,
      memberId: () => this.#group.memberId,
      onFailed: (error) => options.logger.debug({ err: error }, "how far tasks are behind could not be asked"),
      ...(options.lagLookMs === undefined ? {} : { lookMs: options.lagLookMs }),
    });
    this.#overview = new TaskOverview(this.#owned, this.#lag, options.clock);
  }

  /**
   * Looks at the topics and joins the group; resolves when tasks have been given.
   *
   * @throws ScorefoldError `config-invalid` for topics that won't do, `log-failed`, `directory-unusable`,
   *   `registry-failed`, `schema-incompatible`
   */
  static async start(options: KafkaEngineOptions): Promise<KafkaEngine> {
    const { directory, kafka, app, inputTopics, outputTopics, isHistoryLocal, logger } = options;
    await directory.beOfCluster();
    const checked = { inputs: inputTopics, outputs: outputTopics, isHistoryLocal };
    const waits = options.waits ?? { during: async (_, work) => await work };
    const opened = await waits.during("the brokers", openCluster(kafka, app, checked, options.partitioner));
    await directory.beOfApplication({ app, clusterId: opened.clusterId });
    for (const notice of opened.notices) logger.warn(notice);
    const { clusterId, tasks, topicIds, internal } = opened;
    const registry = options.registry ?? null;
    const elapsed = (): number => options.clock.elapsed();
    const log = new KafkaLog({
      ...(registry === null ? undefined : { avro: await registeredAvro(registry, outputTopics, elapsed, waits) }),
      kafka,
      app,
      clusterId,
      inputTopics: [...inputTopics, internal.rekeyed],
      origin: { app, tasks, topicIds },
      outputTopics,
      rekeying: { topic: internal.rekeyed, taskOf: partitioner(options.partitioner, tasks) },
      clockTopic: internal.clock,
      models: new KafkaModels(kafka, internal.models),
      elapsed,
      mappers: options.mappers,
      tasksHere: () => engine.#owned.count,
      onSkipped: (topic, reason) => engine.#metrics.skipped.inc({ topic, reason }),
    });
    const settings = new SharedSettings(kafka, internal.models, settingsOfEngine(options), (text) => logger.warn(text));
    const engine: KafkaEngine = new KafkaEngine(options, log, tasks, settings);
    try {
      await waits.during("the brokers", settings.learn());
      await waits.during(`the consumer group ${app}`, engine.#join());
      engine.#hasJoined = true;
      return engine;
    } catch (error) {
      await engine.stop();
      throw error;
    }
  }

  /** Joins the group, which waits for members of this host that are dead until they are taken out of it. */
  async #join(): Promise<void> {
    const { kafka, app, directory, clock } = this.#options;
    const over = new AbortController();
    const joined = this.#group.join().finally(() => over.abort());
    const look = async (): Promise<void> => {
      while (!over.signal.aborted) {
        await letGo(kafka, app, await directory.takeDeadMembers());
        await clock.sleep(DEAD_MEMBERS_MS, over.signal);
      }
    };
    // Where that fails their sessions end by themselves.
    look().catch(() => undefined);
    await joined;
  }

  get status(): EngineStatus {
    const total = this.#overview.total();
    const isUp = this.#hasJoined && !this.#stopping.signal.aborted;
    const { reason } = this.#wait;
    const own = reason === null ? total : { ...total, state: "waiting", detail: reason };
    const state = this.#stopping.signal.aborted ? "stopping" : isUp ? own.state : "starting";
    return { ...own, state, isUp, isReady: isUp && state === "running", models: this.#models };
  }

  taskStatuses(): readonly TaskStatus[] {
    return this.#overview.statuses();
  }

  /** Resolves when the engine has ended. @throws what has ended it, unless it was `stop` */
  async ended(): Promise<void> {
    await this.#ended;
    if (this.#error !== null) throw this.#error;
  }

  /** Ends all tasks after their commits under way, with everything written, and leaves the group. */
  async stop(): Promise<void> {
    if (!this.#stopping.signal.aborted) {
      this.#stopping.abort();
      this.#wait.close();
      // Left last: until then nobody else is given the tasks, and starts on what is about to be written.
      await this.#owned.release();
      await this.#group
        .leave()
        .catch((error: unknown) => this.#options.logger.warn({ err: error }, "leaving the group"));
      await this.#options.directory.forgetMember();
      await this.#lag.close();
      await this.#log.close();
      await this.#inputs.close();
      this.#end();
    }
    await this.#ended;
  }

  async append(lines: readonly Original[]): Promise<Appended> {
    return await this.#inputs.append(lines);
  }

  async scores(contact: ContactId, question: Question): Promise<ContactAnswer | null> {
    return await scoresOf(this.#ownerOf(contact), contact, question);
  }

  async explain(contact: ContactId, question: Question): Promise<ExplainAnswer | null> {
    return await explanationOf(this.#ownerOf(contact), contact, question);
  }

  async *allScores(question: Question, isPartial = false): AsyncGenerator<readonly ScoreLine[]> {
    const tasks = this.#running(isPartial);
    yield* mergedScores(tasks.map((task) => allScores(task, question)));
  }

  async erase(contactId: ContactId, tenantId: TenantId, options: ErasureOptions): Promise<ErasureAnswer> {
    const task = this.#ownerOf(contactId);
    const append = async (erasure: Profile): Promise<void> => {
      const { topic, offset } = await this.#inputs.erase(erasure);
      await task.foldedUpTo(new Map([[topic, offset + 1]]));
    };
    const { kafka, clock, outputTopics } = this.#options;
    const topics = [...this.#log.inputTopics, ...Object.values(outputTopics)];
    const left = async (): Promise<readonly LeftInTopic[]> =>
      await leftInTopics(kafka, topics, this.#taskOf(contactId));
    const tasks = this.#owned.current.map((owned) => owned.task);
    const parts = { task, tasks, now: clock.now(), letters: null, left, append };
    return await eraseContact(parts, contactId, tenantId, options);
  }

  async metrics(): Promise<{ text: string; contentType: string }> {
    const { registry } = this.#metrics;
    return { text: await registry.metrics(), contentType: registry.contentType };
  }

  /** The metrics of this process, to be shown beside those of others. */
  async metricValues(): Promise<readonly object[]> {
    return await this.#metrics.registry.getMetricsAsJSON();
  }

  #ownerOf(contact: ContactId): Task {
    const task = this.#taskOf(contact);
    const owned = this.#owned.get(task);
    if (owned !== null && owned.error === null) return owned.task;
    throw new ScorefoldError(
      "elsewhere",
      `the contact belongs to task ${task}, and that is with another process of the group ${this.#options.app}; ask that one`,
    );
  }

  #running(isPartial: boolean): readonly Task[] {
    const tasks = this.#owned.current.map(({ task }) => task);
    if (isPartial || tasks.length === this.#tasks) return tasks;
    throw new ScorefoldError(
      "elsewhere",
      `${tasks.length} of the ${this.#tasks} tasks are with this process; ask each process of the group with tasks=own`,
    );
  }

  #makeGroup(): Group {
    const { kafka, app, directory, sessionMs } = this.#options;
    return new Group({
      kafka,
      groupId: app,
      topics: this.#log.inputTopics,
      stores: () => directory.storedTasks(),
      onJoined: (member) => directory.noteMember(member),
      onAssigned: (tasks) => this.#assign(tasks),
      onFailed: (error) => this.#rejoin(error),
      agreement: {
        own: this.#settings.own.id,
        agree: async (members) => await this.#settings.agree(members),
      },
      ...(sessionMs === undefined ? {} : { sessionMs }),
    });
  }

  #assign(tasks: readonly number[]): void {
    if (this.#stopping.signal.aborted) return;
    const { logger } = this.#options;
    logger.info({ tasks }, `the group has given ${tasks.length} of ${this.#tasks} tasks`);
    const beyond = tasks.filter((task) => task >= this.#tasks);
    if (beyond.length > 0) {
      this.#fail(
        new ScorefoldError(
          "config-invalid",
          otherPartitions(this.#options.app, this.#tasks, [["an input topic", 1 + Math.max(...beyond)]]),
        ),
      );
      return;
    }
    this.#owned.assign(tasks);
    this.#lag.regrouped();
    this.#wait.given(tasks.length);
  }

  #taskOptions(number: number, share: number): ConstructorParameters<typeof OwnedTask>[0] {
    const { directory, models, clock, limits, logger } = this.#options;
    const own = logger.child({ task: number });
    return {
      log: this.#log,
      task: number,
      store: {
        open: async () => await directory.openTaskStore(number, memoryOf(share)),
        setAside: async () => await directory.setTaskStoreAside(number),
      },
      models,
      clock,
      timers: "clock",
      limits: { ...limitsOf(share), ...limits },
      owns: async () => await this.#group.owns(number),
      chance: Math.random,
      events: {
        ...countingEvents(this.#metrics, own, clock),
        onProgress: this.#progressOf(own),
      },
    };
  }

  /** Tells now and then how far a task is. */
  #progressOf(logger: Logger): NonNullable<TaskEvents["onProgress"]> {
    const { clock } = this.#options;
    let toldAt = clock.elapsed();
    return (what, done, total) => {
      if (clock.elapsed() - toldAt < PROGRESS_MS) return;
      toldAt = clock.elapsed();
      const share = total === 0 ? 1 : done / total;
      logger.info({ done, total }, `${what}: ${Math.floor(100 * share)} %`);
    };
  }

  /** The client has given up its membership; tasks go on until somebody else takes them. */
  #rejoin(error: ScorefoldError): void {
    if (this.#stopping.signal.aborted || !this.#hasJoined) return;
    const { logger, clock } = this.#options;
    logger.warn({ err: error }, "membership in the group has ended; joining again");
    this.#owned.forget();
    void (async () => {
      const { signal } = this.#stopping;
      const backoff = new Backoff();
      const causes = new CauseLog(logger, () => clock.elapsed());
      while (!signal.aborted) {
        await this.#group.leave().catch(() => undefined);
        await clock.sleep(backoff.next(), signal);
        if (signal.aborted) return;
        this.#group = this.#makeGroup();
        try {
          await this.#join();
          return;
        } catch (again) {
          causes.warn("joining the group again has failed", again);
        }
      }
    })();
  }

  #fail(error: ScorefoldError): void {
    this.#error = error;
    void this.stop();
  }
}

/** What decides what a record means, of a process with these options. */
function settingsOfEngine({ meanings, outputTopics, inputTopics, limits, registry }: KafkaEngineOptions): Settings {
  return settingsOf({
    inputs: new Map(inputTopics.map((topic) => [topic, meanings.get(topic) ?? "interaction"])),
    outputs: outputTopics,
    inputAheadMsMax: limits?.inputAheadMsMax ?? defaultLimits.inputAheadMsMax,
    hasRegistry: registry != null,
    foldVersion: FOLD_VERSION,
  });
}
