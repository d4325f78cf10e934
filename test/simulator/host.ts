/** A place for a store of one task: on one machine, of one process at a time. */
import type { Database } from "../../src/database/database.js";
import type { SimulatedDisk } from "./disk.js";

export class Host {
  readonly name: string;
  readonly task: number;
  readonly machine: number;
  disk: SimulatedDisk;
  /** Whether the disk has a damaged value, which nobody may have looked at. */
  isDamaged = false;
  /** Who has opened it last. */
  #holder: object | null = null;
  /** What a crash has left open for whoever comes next. */
  #left: Database | null = null;
  #asides = 0;
  readonly #makeDisk: () => SimulatedDisk;

  constructor(name: string, task: number, machine: number, makeDisk: () => SimulatedDisk) {
    this.name = name;
    this.task = task;
    this.machine = machine;
    this.#makeDisk = makeDisk;
    this.disk = makeDisk();
  }

  async open(holder: object): Promise<Database> {
    const left = this.#left;
    this.#left = null;
    const database = left ?? this.disk.open();
    this.#holder = holder;
    return database;
  }

  async setAside(): Promise<string> {
    const { isFull } = this.disk;
    this.disk = this.#makeDisk();
    this.disk.isFull = isFull;
    this.isDamaged = false;
    this.#left = null;
    this.#holder = null;
    this.#asides += 1;
    return `${this.name} aside ${this.#asides}`;
  }

  /** Whether another one than this has it open. */
  isOfAnother(process: object): boolean {
    return this.#holder !== null && this.#holder !== process && this.disk.isOpen;
  }

  crash(loseTail: number): void {
    this.#left = this.disk.crash({ loseTail });
    this.#holder = null;
  }

  /** Whether its store is in the middle of a change to other models. */
  get isMidway(): boolean {
    const meta = this.isDamaged ? null : this.row("m\0store");
    return meta !== null && (JSON.parse(meta) as { change: unknown }).change !== null;
  }

  /** The value of a row of the store, without its checksum; null: there is none. */
  row(key: string): string | null {
    const found = this.disk.find(key);
    return found === undefined ? null : found.value.slice(8);
  }
}
