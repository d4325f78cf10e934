/** How much of everything a task takes at once; the unit is in the name. */
export interface TaskLimits {
  /** Of one commit of inputs. */
  readonly batchRecordsMax: number;
  readonly batchBytesMax: number;
  /**
   * From one commit to the next, at least, where no more inputs wait than one commit takes: each has its price, however
   * few they are.
   */
  readonly commitIntervalMs: number;
  /** Contacts that a commit of inputs reads from the store: at so many its batch ends early. */
  readonly readContactsMax: number;
  /**
   * Inputs that are folded in one turn of the event loop, about. Between turns the publish under way and whoever else
   * waits go on: the log's answers would find nobody to take them while a batch is folded in one go.
   */
  readonly turnInputsMax: number;
  /** Contacts of one commit of timers. */
  readonly sliceContactsMax: number;
  /** The same while inputs come, unless very many are due: inputs wait for the slice. */
  readonly sliceBesideInputsMin: number;
  /** A slice ends early at so many outputs. */
  readonly sliceOutputsMax: number;
  /** A write to the store begins at the first of these that is reached. */
  readonly unwrittenContactsMax: number;
  readonly unwrittenInputsMax: number;
  readonly writeIntervalMs: number;
  /** Contacts kept in memory, about. */
  readonly hotBytesMax: number;
  /** Timers fire so long after their instant by the wall clock: what happened before has mostly arrived by then. */
  readonly timerGraceMs: number;
  /** Between two looks at what is due. */
  readonly timerIntervalMs: number;
  /** How far the wall clock may be ahead of the log's. */
  readonly clockAheadMsMax: number;
  /** How far the wall clock may go beyond what is known of the time; further, timers wait for it to last. */
  readonly clockJumpMsMax: number;
  /** How long it has to go on evenly then. */
  readonly clockSettleMs: number;
  /** How far an input may be dated after its arrival in the log. */
  readonly inputAheadMsMax: number;
  /** How long to wait for inputs before looking at timers again. */
  readonly idleWaitMs: number;
}

export const defaultLimits: TaskLimits = {
  batchRecordsMax: 4096,
  batchBytesMax: 4 * 1024 * 1024,
  commitIntervalMs: 0,
  readContactsMax: 1024,
  turnInputsMax: 256,
  sliceContactsMax: 1024,
  sliceBesideInputsMin: 128,
  sliceOutputsMax: 16_384,
  unwrittenContactsMax: 8192,
  unwrittenInputsMax: 65_536,
  writeIntervalMs: 1_000,
  hotBytesMax: 64 * 1024 * 1024,
  timerGraceMs: 5_000,
  timerIntervalMs: 200,
  clockAheadMsMax: 60_000,
  clockJumpMsMax: 86_400_000,
  clockSettleMs: 60_000,
  inputAheadMsMax: 3_600_000,
  idleWaitMs: 250,
};
