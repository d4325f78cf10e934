/**
 * Answers without a known end. Each waits until its client has read before it asks for more, so that a client that stops
 * reading costs what the socket holds and one batch. What is held for all of them together is bounded: where more is
 * wanted, those that have not read for longest are ended, and told where to go on. One that has not read for very long
 * is let go.
 */
import type { ServerResponse } from "node:http";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { FastifyReply } from "fastify";
import type { ApiLimits } from "./options.js";
import { retryable } from "./problems.js";

/** The client is gone, or was let go: nobody is there to be told. */
export class StreamEnded extends Error {}

/** Sent together at most, but for a single piece that is longer. What is sent can't be taken back from the socket. */
const WRITE_BYTES_MAX = 16 * 1024;
/** Who has not read for so long is slow; who has is on the way. */
const SLOW_MS = 1_000;

export class Streams {
  readonly #limits: ApiLimits;
  readonly #open = new Set<Stream>();
  #waiting = new Set<() => void>();
  /** Of batches that wait until there is room for them. */
  #asked = 0;

  constructor(limits: ApiLimits) {
    this.#limits = limits;
  }

  get count(): number {
    return this.#open.size;
  }

  /** What is held for all readers, beyond what the system has taken. */
  get heldBytes(): number {
    return this.#asked + this.#sending;
  }

  get #sending(): number {
    let bytes = 0;
    for (const { heldBytes } of this.#open) bytes += heldBytes;
    return bytes;
  }

  /** Takes the answer over from fastify. @throws Problem `too-many-streams` */
  open(reply: FastifyReply, contentType: string): Stream {
    const { streamsMax, stalledMs } = this.#limits;
    if (this.#open.size >= streamsMax) {
      throw retryable("too-many-streams", `${streamsMax} streams are open, and more are not allowed`);
    }
    reply.hijack();
    const stream: Stream = new Stream(reply.raw, stalledMs, {
      room: async (bytes) => await this.#room(bytes, stream),
      freed: () => this.#freed(),
    });
    this.#open.add(stream);
    reply.raw.once("close", () => {
      this.#open.delete(stream);
      this.#freed();
    });
    reply.raw.writeHead(200, {
      "content-type": contentType,
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      // Proxies of the nginx family would gather events before they pass them on.
      "x-accel-buffering": "no",
    });
    reply.raw.flushHeaders();
    return stream;
  }

  /** Asks all streams to end. */
  stop(): void {
    for (const stream of this.#open) stream.stop();
  }

  /**
   * Resolves when so much more is held for a stream, to be sent: others that are slow are ended for it. One half of what may be
   * held is for what is being sent, the other for what waits for that. Where there is no room to wait either, the one
   * that has waited for longest is ended at once.
   *
   * @throws StreamEnded
   */
  async #room(bytes: number, stream: Stream): Promise<void> {
    const half = this.#limits.streamsBytesMax / 2;
    // What is longer than all that is allowed has to pass as well, alone.
    const isAllowed = (held: number): boolean => held === 0 || held + bytes <= half;
    while (!isAllowed(this.#sending) && !isAllowed(this.#asked)) {
      // The longest wait is hardly that of one who reads.
      const slowest = this.#waits(stream).find(({ isEnding }) => !isEnding);
      (slowest ?? stream).endEarly();
      if (slowest === undefined) throw new StreamEnded();
      await nextTurn();
    }
    if (isAllowed(this.#sending)) {
      stream.hold(bytes);
      return;
    }
    this.#asked += bytes;
    try {
      await this.#turn(stream, bytes, isAllowed);
    } finally {
      this.#asked -= bytes;
    }
  }

  async #turn(stream: Stream, bytes: number, isAllowed: (held: number) => boolean): Promise<void> {
    while (!isAllowed(this.#sending) && !stream.signal.aborted) {
      const now = performance.now();
      const waits = this.#waits(stream);
      const slow = waits.filter(({ waitsSince }) => now - waitsSince >= SLOW_MS);
      const victim = slow.find(({ isEnding }) => !isEnding) ?? slow[0];
      if (victim !== undefined) victim.endEarly();
      if (victim !== undefined) await nextTurn();
      else await this.#change(Math.max(1, SLOW_MS - (now - (waits[0]?.waitsSince ?? now))));
    }
    // Before anybody else looks.
    stream.hold(bytes);
  }

  /** Those that wait for their readers, beside a stream: the longest first. */
  #waits(stream: Stream): Stream[] {
    const others = [...this.#open].filter(
      (one) => one !== stream && Number.isFinite(one.waitsSince) && one.heldBytes > 0,
    );
    return others.sort((a, b) => a.waitsSince - b.waitsSince);
  }

  /** Resolves when something was freed, or after a time. */
  async #change(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(end);
        resolve();
      };
      const timer = setTimeout(end, Math.min(ms, SLOW_MS));
      this.#waiting.add(end);
    });
  }

  #freed(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}

/** In the trailer of an answer that was ended early: from where to read on. */
export const NEXT_OFFSET = "scorefold-next-offset";

/** What a stream asks of all of them. */
interface Together {
  room(bytes: number): Promise<void>;
  freed(): void;
}

/** How a reader is told where to go on: a text in the format of the answer, and the offset. */
export interface Farewell {
  readonly text: string;
  readonly next: number;
}

export class Stream {
  readonly #response: ServerResponse;
  readonly #stalledMs: number;
  readonly #together: Together;
  readonly #stop = new AbortController();
  #heartbeat: NodeJS.Timeout | undefined;
  /** Of the batch that is being sent, and not taken by the system. */
  #held = 0;
  /** When the write that is under way began to wait; infinite: none waits. */
  #waitsSince = Number.POSITIVE_INFINITY;
  /** Says where to go on, where that can be said between two pieces. */
  #farewell: (() => Farewell) | null = null;
  #isEnding = false;
  /** Tells the write that waits that nothing more is wanted of it. */
  #giveUp: () => void = () => undefined;

  constructor(response: ServerResponse, stalledMs: number, together: Together) {
    this.#response = response;
    this.#stalledMs = stalledMs;
    this.#together = together;
    response.once("close", () => {
      clearInterval(this.#heartbeat);
      this.#held = 0;
      this.#stop.abort();
    });
    // What fails on the way to a client that is gone is told by `close`.
    response.on("error", () => undefined);
  }

  /** Aborts when the client is gone or was ended early, or when the server stops. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  get heldBytes(): number {
    return this.#held;
  }

  /** Counts what is about to be sent. */
  hold(bytes: number): void {
    this.#held += bytes;
  }

  get waitsSince(): number {
    return this.#waitsSince;
  }

  /** Whether it was told to go on elsewhere, and has only to read that. */
  get isEnding(): boolean {
    return this.#isEnding;
  }

  stop(): void {
    this.#stop.abort();
  }

  /** Says something of no meaning every so often, so that proxies and clients see that the stream is alive. */
  keepAlive(text: string, everyMs: number): void {
    this.#heartbeat = setInterval(() => {
      if (!this.#response.writableNeedDrain && !this.#isEnding) this.write(text).catch(() => undefined);
    }, everyMs);
    this.#heartbeat.unref();
  }

  /** From now on the reader can be ended between two pieces, and be told this. */
  set farewell(farewell: () => Farewell) {
    this.#farewell = farewell;
  }

  /**
   * Writes pieces of text, together where they are short, once there is room for all of them.
   *
   * @param onWritten told how many pieces have been written, at each write
   * @throws StreamEnded
   */
  async writeAll(pieces: readonly string[], onWritten: (count: number) => void = () => undefined): Promise<void> {
    const writes = gathered(pieces);
    let bytes = 0;
    for (const { text } of writes) bytes += text.length;
    await this.#together.room(bytes);
    try {
      for (const { text, until } of writes) {
        if (this.#isEnding) throw new StreamEnded();
        onWritten(until);
        await this.write(text);
        this.#free(text.length);
      }
    } finally {
      if (!this.#isEnding) this.#free(this.#held);
    }
  }

  /** Resolves when there is room for more. @throws StreamEnded */
  async write(text: string | Buffer): Promise<void> {
    const response = this.#response;
    if (response.destroyed || response.writableEnded) throw new StreamEnded();
    if (response.write(text)) return;
    this.#waitsSince = performance.now();
    await new Promise<void>((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(timer);
        this.#waitsSince = Number.POSITIVE_INFINITY;
        this.#giveUp = () => undefined;
        response.off("drain", onDrain).off("close", onClose);
      };
      const onDrain = (): void => {
        settle();
        resolve();
      };
      const onClose = (): void => {
        settle();
        reject(new StreamEnded());
      };
      const timer = setTimeout(() => this.cut(), this.#stalledMs);
      this.#giveUp = onClose;
      response.on("drain", onDrain).on("close", onClose);
    });
  }

  /**
   * Ends a reader that is slow, so that what is held for it is freed. What the socket has is left to it, with where to go
   * on behind that; where that can't be said, or was said before, it is cut off.
   */
  endEarly(): void {
    const farewell = this.#farewell;
    const { writableLength } = this.#response;
    if (farewell === null || this.#isEnding || writableLength > 2 * WRITE_BYTES_MAX) {
      this.cut();
      return;
    }
    this.#isEnding = true;
    const { text, next } = farewell();
    this.#response.addTrailers({ [NEXT_OFFSET]: String(next) });
    this.#response.end(text);
    this.#held = writableLength + text.length;
    // What was read for it and not sent is let go at once; what the socket has, after a while.
    const timer = setTimeout(() => this.cut(), this.#stalledMs);
    this.#response.once("close", () => clearTimeout(timer));
    this.#giveUp();
    this.#waitsSince = performance.now();
    this.#stop.abort();
    this.#together.freed();
  }

  /** Ends well: the client has everything. */
  end(): void {
    const { socket } = this.#response;
    const isStopping = this.signal.aborted;
    this.#response.end(() => {
      // The server closes idle connections once; this one becomes idle only now.
      if (isStopping) socket?.destroySoon();
    });
  }

  /**
   * Ends badly, so that the client can tell that something is missing: with a reset, since some take a connection that
   * just ends for the end of the answer.
   */
  cut(): void {
    const { socket } = this.#response;
    this.#held = 0;
    if (socket === null) this.#response.destroy();
    else socket.resetAndDestroy();
  }

  #free(bytes: number): void {
    this.#held = Math.max(0, this.#held - bytes);
    this.#together.freed();
  }
}

/** Pieces that are sent together, as bytes, each with how many pieces are sent by then. */
function gathered(pieces: readonly string[]): { readonly text: Buffer; readonly until: number }[] {
  const writes: { text: Buffer; until: number }[] = [];
  let text = "";
  for (const [i, piece] of pieces.entries()) {
    if (text !== "" && text.length + piece.length > WRITE_BYTES_MAX) {
      writes.push({ text: Buffer.from(text), until: i });
      text = "";
    }
    text += piece;
  }
  if (text !== "") writes.push({ text: Buffer.from(text), until: pieces.length });
  return writes;
}
