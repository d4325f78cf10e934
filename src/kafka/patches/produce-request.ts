import type { Patch } from "./patch.js";
import { type Message, RecordBatch } from "./record-writer.js";

interface ProduceRequest {
  readonly acks: number;
  readonly timeout: number;
  readonly transactionalId?: string | null;
  readonly producerId?: number | string | bigint | { readonly value: bigint };
  readonly producerEpoch?: number;
  readonly compression?: number;
  readonly topicData: readonly {
    readonly topic: string;
    readonly partitions: readonly {
      readonly partition: number;
      readonly firstSequence?: number;
      readonly messages: readonly Message[];
    }[];
  }[];
}

/** What kafkajs makes requests of. */
interface Encoder {
  buf: Buffer;
  offset: number;
}

const PRODUCE = { apiKey: 0, apiName: "Produce", apiVersion: 3 };
const NONE = 0;

/** The whole request in one buffer that is made at its length. Versions 4 to 7 are made of this one. */
export const produceRequest: Patch = {
  name: "produce request",
  file: "src/protocol/requests/produce/v3/request.js",
  replace: (original, load) => {
    const Encoder = load("src/protocol/encoder.js") as new (bytes: number) => Encoder;
    const compressed = original as (request: ProduceRequest) => unknown;
    return (request: ProduceRequest): unknown => {
      const { acks, compression = NONE } = request;
      if (compression !== NONE) return compressed(request);
      return {
        ...PRODUCE,
        expectResponse: () => acks !== 0,
        encode: async () => {
          const encoder = new Encoder(1);
          encoder.buf = encode(request, Date.now());
          encoder.offset = encoder.buf.length;
          return encoder;
        },
      };
    };
  },
};

function encode({ acks, timeout, transactionalId, topicData, ...request }: ProduceRequest, now: number): Buffer {
  const isTransactional = transactionalId !== undefined && transactionalId !== null && transactionalId !== "";
  const producer = {
    isTransactional,
    producerId: idOf(request.producerId),
    producerEpoch: request.producerEpoch ?? 0,
    now,
  };
  let size = sizeOfString(transactionalId) + 2 + 4 + 4;
  const batches: RecordBatch[] = [];
  for (const { topic, partitions } of topicData) {
    size += sizeOfString(topic) + 4;
    for (const { messages, firstSequence = 0 } of partitions) {
      const batch = new RecordBatch(messages, { ...producer, firstSequence });
      batches.push(batch);
      size += 4 + 4 + batch.size;
    }
  }
  const into = Buffer.allocUnsafe(size);
  let at = writeString(into, 0, transactionalId);
  at = into.writeInt16BE(acks, at);
  at = into.writeInt32BE(timeout, at);
  at = into.writeInt32BE(topicData.length, at);
  let next = 0;
  for (const { topic, partitions } of topicData) {
    at = writeString(into, at, topic);
    at = into.writeInt32BE(partitions.length, at);
    for (const { partition } of partitions) {
      const batch = batches[next++]!;
      at = into.writeInt32BE(partition, at);
      at = into.writeInt32BE(batch.size, at);
      at = batch.write(into, at);
    }
  }
  return into;
}

function idOf(id: ProduceRequest["producerId"]): bigint {
  if (id === undefined) return -1n;
  return BigInt(typeof id === "object" ? id.value : id);
}

function sizeOfString(text: string | null | undefined): number {
  return 2 + (text === null || text === undefined ? 0 : Buffer.byteLength(text));
}

function writeString(into: Buffer, from: number, text: string | null | undefined): number {
  if (text === null || text === undefined) return into.writeInt16BE(-1, from);
  const at = into.writeInt16BE(Buffer.byteLength(text), from);
  return at + into.write(text, at);
}
