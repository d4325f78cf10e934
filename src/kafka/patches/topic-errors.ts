import type { Patch } from "./patch.js";

interface Answer {
  readonly topicErrors: readonly {
    readonly topic: string;
    readonly errorCode: number;
    readonly errorMessage?: string | null;
  }[];
}

interface Response {
  decode(bytes: Buffer): Promise<Answer>;
  parse(answer: Answer): Promise<Answer>;
}

interface TopicErrors extends Error {
  readonly errors: readonly (Error & { readonly topic: string })[];
}

/**
 * Brokers say why a topic can't be made, as "Unknown topic config name: retention.mss". kafkajs reads that and drops it,
 * so that "Configuration is invalid" is all there is.
 */
export const topicErrors: Patch = {
  name: "topic-errors",
  // Later versions of the answer are parsed by this one.
  file: "src/protocol/requests/createTopics/v1/response.js",
  replace: (original) => {
    const { parse, ...others } = original as Response;
    const told = async (answer: Answer): Promise<Answer> => {
      try {
        return await parse(answer);
      } catch (error) {
        const { errors } = error as Partial<TopicErrors>;
        for (const one of errors ?? []) {
          const why = answer.topicErrors.find(({ topic }) => topic === one.topic)?.errorMessage;
          if (typeof why === "string" && why !== "") one.message = why;
        }
        throw error;
      }
    };
    return { ...others, parse: told };
  },
};
