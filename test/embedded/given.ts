/** Short ways to open an embedded log for a test, and to read all of it. */
import { EmbeddedLog, type ReadRecord } from "../../src/embedded/log.js";
import { SimulatedDisk } from "../simulator/disk.js";
import { goOn, type Step } from "../simulator/step.js";

export interface Given {
  readonly disk: SimulatedDisk;
  readonly log: EmbeddedLog;
  /** What the clock of the host says. */
  readonly host: { now: number };
}

export async function givenLog(memoryBytesMax = 1_000_000, step: Step = goOn): Promise<Given> {
  const disk = new SimulatedDisk(step);
  const host = { now: 1000 };
  const log = await EmbeddedLog.open(disk.open(), { now: () => host.now, memoryBytesMax });
  return { disk, log, host };
}

export async function readRecords(log: EmbeddedLog, topic: string, bytesMax = 1_000_000): Promise<ReadRecord[]> {
  const records: ReadRecord[] = [];
  for (let from = 0; ; ) {
    const { records: some, next, end } = await log.read(topic, from, { bytesMax, recordsMax: 1000 });
    records.push(...some);
    if (next >= end) return records;
    from = next;
  }
}

export async function readValues(log: EmbeddedLog, topic: string): Promise<string[]> {
  return (await readRecords(log, topic)).map(({ value }) => value);
}

/** Holds calls of the disk that have this name until `go`. */
export class Gate {
  readonly #name: string;
  #held: (() => void)[] = [];
  #isOpen = true;
  #arrived: (() => void)[] = [];
  count = 0;

  constructor(name: string) {
    this.#name = name;
  }

  readonly step: Step = async (name) => {
    if (name !== this.#name) return;
    this.count += 1;
    for (const arrived of this.#arrived.splice(0)) arrived();
    if (!this.#isOpen) await new Promise<void>((resolve) => this.#held.push(resolve));
  };

  shut(): void {
    this.#isOpen = false;
  }

  /** Resolves when the next call has come. */
  async arrival(): Promise<void> {
    await new Promise<void>((resolve) => this.#arrived.push(resolve));
  }

  go(): void {
    this.#isOpen = true;
    for (const go of this.#held.splice(0)) go();
  }
}
