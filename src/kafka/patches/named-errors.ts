import type { Patch } from "./patch.js";

interface Response {
  decode(bytes: Buffer): Promise<unknown>;
  parse(answer: unknown): Promise<unknown>;
}

interface Place {
  readonly topic: string;
  /** Null where it is the topic as a whole. */
  readonly partition: number | null;
  readonly errorCode: number;
}

interface Protocol {
  createErrorFromCode(code: number): Error;
}

interface ConnectionClass {
  readonly prototype: { send(this: { readonly broker: string }, request: unknown): Promise<unknown> };
}

/** OPERATION_NOT_ATTEMPTED: of the topics beside the one that is refused. */
const NOT_ATTEMPTED = 55;

/** Of each request the version of the answer that later ones are parsed by. */
const answers = [
  "produce/v3",
  "metadata/v0",
  "addPartitionsToTxn/v0",
  "txnOffsetCommit/v0",
  "listOffsets/v2",
  "offsetFetch/v2",
];

/**
 * Brokers say of which topic and partition an error is. kafkajs reads that and throws the first error alone, which may be
 * that of a topic beside the one that is refused; and it does not say which broker has answered.
 */
export const namedErrors: readonly Patch[] = [
  ...answers.map(
    (answer): Patch => ({
      name: `named-errors of ${answer}`,
      file: `src/protocol/requests/${answer}/response.js`,
      replace: (original, load) => {
        const { parse, ...others } = original as Response;
        const { createErrorFromCode } = load("src/protocol/error.js") as Protocol;
        const named = async (answered: unknown): Promise<unknown> => {
          try {
            return await parse(answered);
          } catch (error) {
            const failed = placesIn(answered).filter(({ errorCode }) => errorCode !== 0);
            const place = failed.find(({ errorCode }) => errorCode !== NOT_ATTEMPTED) ?? failed[0];
            if (place === undefined) throw error;
            const { topic, partition, errorCode } = place;
            const isOther = (error as { code?: number }).code !== errorCode;
            throw Object.assign(isOther ? createErrorFromCode(errorCode) : (error as Error), { topic, partition });
          }
        };
        return { ...others, parse: named };
      },
    }),
  ),
  {
    name: "named-errors of connections",
    file: "src/network/connection.js",
    replace: (original) => {
      const { prototype } = original as ConnectionClass;
      const { send } = prototype;
      prototype.send = async function (request) {
        try {
          return await send.call(this, request);
        } catch (error) {
          if (error instanceof Error && (error as { broker?: string }).broker === undefined)
            Object.assign(error, { broker: this.broker });
          throw error;
        }
      };
      return original;
    },
  },
];

/** Answers name these things in several ways. */
function placesIn(answered: unknown): Place[] {
  const answer = answered as Readonly<Record<string, unknown>>;
  const topics = ["topics", "topicMetadata", "errors", "responses"].flatMap((key) => listOf(answer[key]));
  return topics.flatMap((one) => {
    const topic = String(one["topic"] ?? one["topicName"]);
    const partitions = ["partitions", "partitionMetadata", "partitionErrors"].flatMap((key) => listOf(one[key]));
    const own = { topic, partition: null, errorCode: Number(one["topicErrorCode"] ?? 0) };
    return [
      own,
      ...partitions.map((partition) => ({
        topic,
        partition: Number(partition["partition"] ?? partition["partitionId"]),
        errorCode: Number(partition["errorCode"] ?? partition["partitionErrorCode"] ?? 0),
      })),
    ];
  });
}

function listOf(value: unknown): Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value : [];
}
