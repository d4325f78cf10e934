/** What a task tells of itself as it goes on. */
import type { TaskState } from "./condition.js";
import type { CommitReport, WriteReport } from "./reports.js";

export interface TaskEvents {
  /** What the task does; `onShown` what is shown of it. */
  onState?(state: TaskState, detail: string | null): void;
  onShown?(state: TaskState, detail: string | null): void;
  onCommit?(report: CommitReport): void;
  onWrite?(report: WriteReport): void;
  onProgress?(what: "catching-up" | "rebuilding", done: number, total: number): void;
  /** The host's clock has jumped, or has come back, or is believed again. */
  onClock?(text: string): void;
  /** Something that whoever operates the task should know, and the task has dealt with. */
  onNotice?(text: string, error?: unknown): void;
}
