/** One task over the broker model on a simulated disk, with the time of a test. */
import type { ScoreChanged } from "../../src/events/types.js";
import { defaultLimits } from "../../src/stream/limits.js";
import { Task, type TaskOptions } from "../../src/stream/task.js";
import { Broker } from "../simulator/broker.js";
import { SimulatedDisk } from "../simulator/disk.js";
import { Random } from "../simulator/random.js";
import { Scheduler } from "../simulator/scheduler.js";
import { start, visitsModel } from "./given.js";

export interface Running {
  readonly task: Task;
  readonly notices: string[];
  /** What has ended it; undefined: it runs. */
  readonly ended: { error?: unknown };
}

export class OneTask {
  readonly scheduler = new Scheduler(new Random(1));
  broker = new Broker();
  disk = new SimulatedDisk();
  asides = 0;

  constructor() {
    this.broker.advance(start - this.broker.now);
  }

  run(options: Partial<TaskOptions> = {}): Running {
    const notices: string[] = [];
    const task = new Task({
      log: this.broker.connect(),
      task: 0,
      store: {
        open: async () => this.disk.open(),
        setAside: async () => {
          this.asides += 1;
          this.disk = new SimulatedDisk();
          return "aside";
        },
      },
      models: [visitsModel()],
      clock: this.scheduler.clock(() => this.broker.now),
      timers: "manual",
      limits: defaultLimits,
      events: { onNotice: (text) => notices.push(text) },
      ...options,
    });
    const ended: { error?: unknown } = {};
    task.run().then(
      () => {
        ended.error = null;
      },
      (error: unknown) => {
        ended.error = error;
      },
    );
    return { task, notices, ended };
  }

  /** Lets time pass until it has come to that. */
  async passes<T>(wanted: Promise<T> | (() => boolean)): Promise<void> {
    let isThere = false;
    let failed: unknown = null;
    if (typeof wanted !== "function") {
      wanted.then(
        () => {
          isThere = true;
        },
        (error: unknown) => {
          failed = error;
        },
      );
    }
    for (let turns = 0; turns < 3000; turns++) {
      await this.scheduler.settle();
      if (failed !== null) throw failed;
      if (typeof wanted === "function" ? wanted() : isThere) return;
      this.broker.advance(100);
      this.scheduler.advance(100);
    }
    throw new Error("it never comes to that");
  }

  arrive(...ids: readonly number[]): void {
    const lines = ids.map((id) => `{"contactId":"ada","id":"v${id}","at":${start + id},"type":"web.page_viewed"}`);
    this.broker.append("inputs", 0, lines);
  }

  scores(): number[] {
    return this.broker.read("score-changed").map(({ value }) => (JSON.parse(value) as ScoreChanged).current);
  }
}
