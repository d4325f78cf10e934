/** Progress of long work: a bar on a terminal, a plain line now and then elsewhere. */
import { type Io, isTerminal } from "./io.js";
import { grouped } from "./table.js";

const barWidth = 28;
const barIntervalMs = 100;
const lineIntervalMs = 5_000;

export class Progress {
  readonly #io: Io;
  readonly #now: () => number;
  readonly #terminal: boolean;
  #shown: number;
  #open = false;

  constructor(io: Io, now: () => number = () => performance.now()) {
    this.#io = io;
    this.#now = now;
    this.#terminal = isTerminal(io.stderr);
    this.#shown = now();
  }

  /** @param total undefined where it can't be known */
  update(label: string, done: number, total: number | undefined, unit: string): void {
    const now = this.#now();
    if (now - this.#shown < (this.#terminal ? barIntervalMs : lineIntervalMs)) return;
    this.#shown = now;
    const counts = total === undefined ? `${grouped(done)} ${unit}` : `${grouped(done)} of ${grouped(total)} ${unit}`;
    if (!this.#terminal) {
      this.#io.stderr.write(`${label}: ${counts}\n`);
      return;
    }
    const share = total === undefined || total === 0 ? 0 : Math.min(1, done / total);
    const full = Math.round(share * barWidth);
    const bar =
      total === undefined ? "" : `[${"█".repeat(full)}${"░".repeat(barWidth - full)}] ${Math.floor(share * 100)}% `;
    this.#io.stderr.write(`\r\x1b[2K${label} ${bar}${counts}`);
    this.#open = true;
  }

  /** Takes the bar away: what is written next starts on a clean line. */
  clear(): void {
    if (this.#open) this.#io.stderr.write("\r\x1b[2K");
    this.#open = false;
  }
}
