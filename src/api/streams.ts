/**
 * Answers without a known end. Each waits until its client has read before it asks for more, so that a client that stops
 * reading costs what the socket holds and one piece; one that has not read for long is let go.
 */
import type { ServerResponse } from "node:http";
import type { FastifyReply } from "fastify";
import type { ApiLimits } from "./options.js";
import { retryable } from "./problems.js";

/** The client is gone, or was let go: nobody is there to be told. */
export class StreamEnded extends Error {}

/** Sent together at most, but for a single piece that is longer. */
const WRITE_LENGTH_MAX = 64 * 1024;

export class Streams {
  readonly #limits: ApiLimits;
  readonly #open = new Set<Stream>();

  constructor(limits: ApiLimits) {
    this.#limits = limits;
  }

  get count(): number {
    return this.#open.size;
  }

  /** Takes the answer over from fastify. @throws Problem `too-many-streams` */
  open(reply: FastifyReply, contentType: string): Stream {
    const { streamsMax, stalledMs } = this.#limits;
    if (this.#open.size >= streamsMax) {
      throw retryable("too-many-streams", `${streamsMax} streams are open, and more are not allowed`);
    }
    reply.hijack();
    const stream = new Stream(reply.raw, stalledMs);
    this.#open.add(stream);
    reply.raw.once("close", () => this.#open.delete(stream));
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
}

export class Stream {
  readonly #response: ServerResponse;
  readonly #stalledMs: number;
  readonly #stop = new AbortController();
  #heartbeat: NodeJS.Timeout | undefined;

  constructor(response: ServerResponse, stalledMs: number) {
    this.#response = response;
    this.#stalledMs = stalledMs;
    response.once("close", () => {
      clearInterval(this.#heartbeat);
      this.#stop.abort();
    });
    // What fails on the way to a client that is gone is told by `close`.
    response.on("error", () => undefined);
  }

  /** Aborts when the client is gone, or when the server stops. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  stop(): void {
    this.#stop.abort();
  }

  /** Says something of no meaning every so often, so that proxies and clients see that the stream is alive. */
  keepAlive(text: string, everyMs: number): void {
    this.#heartbeat = setInterval(() => {
      if (!this.#response.writableNeedDrain) this.write(text).catch(() => undefined);
    }, everyMs);
    this.#heartbeat.unref();
  }

  /** Writes pieces of text, together where they are short. @throws StreamEnded */
  async writeAll(pieces: Iterable<string>): Promise<void> {
    let text = "";
    for (const piece of pieces) {
      if (text !== "" && text.length + piece.length > WRITE_LENGTH_MAX) {
        await this.write(text);
        text = "";
      }
      text += piece;
    }
    if (text !== "") await this.write(text);
  }

  /** Resolves when there is room for more. @throws StreamEnded */
  async write(text: string): Promise<void> {
    const response = this.#response;
    if (response.destroyed || response.writableEnded) throw new StreamEnded();
    if (response.write(text)) return;
    await new Promise<void>((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(timer);
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
      response.on("drain", onDrain).on("close", onClose);
    });
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
    if (socket === null) this.#response.destroy();
    else socket.resetAndDestroy();
  }
}
