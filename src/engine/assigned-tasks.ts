/**
 * The tasks of this process, as the group gives and takes them. One that is taken ends after its commit under way; should
 * it be given again, it begins anew once the one before has closed its store.
 */
import type { OwnedTask } from "./owned-task.js";

export class AssignedTasks {
  readonly #make: (task: number, share: number) => OwnedTask;
  /** By number; one that was released stays until it has ended, since it has its store open until then. */
  readonly #known = new Map<number, OwnedTask>();
  #assigned: readonly number[] = [];
  #isOver = false;

  /** @param make begins a task, one of so many that this process has */
  constructor(make: (task: number, share: number) => OwnedTask) {
    this.#make = make;
  }

  /** How many the group has given. */
  get count(): number {
    return this.#assigned.length;
  }

  /** The numbers of those that the group has given. */
  get numbers(): readonly number[] {
    return this.#assigned;
  }

  /** Those of them that wait for their last run here to end. */
  get coming(): readonly number[] {
    return this.#assigned.filter((number) => this.get(number) === null);
  }

  /** Those that are this process's, ascending. */
  get current(): readonly OwnedTask[] {
    return this.all.filter(({ isReleased }) => !isReleased).sort((a, b) => a.number - b.number);
  }

  /** Also those that were taken and have not ended yet. */
  get all(): readonly OwnedTask[] {
    return [...this.#known.values()];
  }

  /** A task that is this process's; null: it is not. */
  get(task: number): OwnedTask | null {
    const owned = this.#known.get(task);
    return owned === undefined || owned.isReleased ? null : owned;
  }

  /** The group has spoken: tasks that are new here begin, those that are no longer here end. */
  assign(tasks: readonly number[]): void {
    if (this.#isOver) return;
    this.#assigned = tasks;
    for (const owned of this.#known.values()) if (!tasks.includes(owned.number)) void owned.release();
    for (const task of tasks) this.#begin(task);
  }

  /** Membership has ended: those that run go on until somebody else takes them, and none begins. */
  forget(): void {
    this.#assigned = [];
  }

  /** Ends all of them after their commits under way, with everything written, and begins none any more. */
  async release(): Promise<void> {
    this.#isOver = true;
    this.#assigned = [];
    await Promise.all(this.all.map((owned) => owned.release()));
  }

  #begin(number: number): void {
    const before = this.#known.get(number);
    if (before !== undefined && !before.isReleased && before.error === null) return;
    const own = before?.ended ?? Promise.resolve();
    void own.then(() => {
      // The group may have spoken again since.
      if (!this.#assigned.includes(number) || this.#known.get(number) !== before) return;
      const owned = this.#make(number, this.#assigned.length);
      this.#known.set(number, owned);
      void owned.ended.then(() => {
        // A failed one stays to be seen, until the group speaks again.
        if (owned.error !== null || this.#known.get(number) !== owned) return;
        this.#known.delete(number);
        if (this.#assigned.includes(number)) this.#begin(number);
      });
    });
  }
}
