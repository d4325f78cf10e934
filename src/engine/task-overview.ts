/** The tasks of this process as they are shown, and those that nobody has where this process is the one to show them. */
import type { EngineStatus, TaskStatus } from "../api/engine.js";
import type { LagWatch } from "../kafka/lag-watch.js";
import type { Clock } from "../stream/clock.js";
import type { MeasuredTask } from "../telemetry.js";
import type { AssignedTasks } from "./assigned-tasks.js";
import type { OwnedTask } from "./owned-task.js";
import { lagOf, type TaskLag, totalLag } from "./task-lag.js";
import { absent, measured, statusOf, unmeasured, worstOf } from "./task-metrics.js";

/** What an engine says of its tasks together. */
export type Overview = Pick<EngineStatus, "state" | "detail" | "lag" | "oldestInputAgeMs" | "contacts">;

export class TaskOverview {
  readonly #owned: AssignedTasks;
  readonly #watch: LagWatch;
  readonly #clock: Clock;

  constructor(owned: AssignedTasks, watch: LagWatch, clock: Clock) {
    this.#owned = owned;
    this.#watch = watch;
    this.#clock = clock;
  }

  /** In order of their numbers. */
  statuses(): readonly TaskStatus[] {
    const here = this.#owned.current.map((owned) => statusOf(owned.number, owned.task, this.#lagOf(owned)));
    return [...here, ...this.#absent()].sort((a, b) => a.task - b.task);
  }

  /** The same as metrics; a task that was taken is among them until it has ended. */
  async measured(): Promise<readonly MeasuredTask[]> {
    const here = this.#owned.all.map(async (owned) => await measured(owned.number, owned.task, this.#lagOf(owned)));
    const known = await Promise.all(here);
    const others = this.#absent().filter(({ task }) => !known.some((one) => one.task === task));
    return [...known, ...others.map(unmeasured)];
  }

  /** All together: `running` where there is none. */
  total(): Overview {
    const tasks = this.statuses();
    const worst = worstOf(tasks);
    return {
      state: worst?.state ?? "running",
      detail: worst === undefined || worst.detail === null ? null : `task ${worst.task}: ${worst.detail}`,
      ...totalLag(tasks),
      contacts: tasks.reduce((sum, { contacts }) => sum + contacts, 0),
    };
  }

  #absent(): readonly TaskStatus[] {
    const coming = this.#owned.coming.map((task) =>
      absent(task, "starting", "waits for its last run here to end", this.#lagAt(task)),
    );
    const known = [...this.#owned.current.map(({ number }) => number), ...this.#owned.coming];
    const nobodys = this.#watch.unassigned
      .filter((task) => !known.includes(task))
      .map((task) => absent(task, "unassigned", "no process of the application has it", this.#lagAt(task)));
    return [...coming, ...nobodys];
  }

  #lagOf({ number, task }: OwnedTask): TaskLag {
    return lagOf(task, this.#watch.of(number), this.#clock.now());
  }

  #lagAt(task: number): TaskLag {
    return lagOf(null, this.#watch.of(task), this.#clock.now());
  }
}
