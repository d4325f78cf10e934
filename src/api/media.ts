/** Formats: what a client sends, and what it takes. */
import type { FastifyRequest } from "fastify";
import { Problem } from "./problems.js";

export const JSON_TYPE = "application/json";
export const NDJSON_TYPE = "application/x-ndjson";
export const EVENTS_TYPE = "text/event-stream";

/** Whether the body is JSON, or JSON lines. @throws Problem `unsupported-media-type` */
export function bodyFormat({ headers }: FastifyRequest): "json" | "lines" {
  const encoding = headers["content-encoding"];
  if (encoding !== undefined && encoding.toLowerCase() !== "identity") {
    throw unsupported("the body is compressed; send it as it is");
  }
  const header = headers["content-type"];
  if (header === undefined) throw unsupported("Content-Type is missing");
  const [type = "", ...parameters] = header.split(";").map((part) => part.trim().toLowerCase());
  const charset = parameters.find((part) => part.startsWith("charset="))?.replaceAll('"', "");
  if (charset !== undefined && charset !== "charset=utf-8" && charset !== "charset=utf8") {
    throw unsupported("the body is in another charset than utf-8");
  }
  if (type === JSON_TYPE) return "json";
  if (type === NDJSON_TYPE || type === "application/ndjson" || type === "application/jsonl") return "lines";
  throw unsupported(`Content-Type is ${JSON.stringify(type.slice(0, 60))}`);
}

function unsupported(what: string): Problem {
  const detail = `${what}; expected ${JSON_TYPE} (an input or a list of inputs) or ${NDJSON_TYPE} (one a line)`;
  return new Problem("unsupported-media-type", detail, {}, { accept: `${JSON_TYPE}, ${NDJSON_TYPE}` });
}

/** The first of `offered` that the client takes best. @throws Problem `not-acceptable` */
export function accepted<Type extends string>(header: string | undefined, offered: readonly Type[]): Type {
  let best: Type | undefined;
  let bestQuality = 0;
  for (const type of offered) {
    const quality = header === undefined || header.trim() === "" ? 1 : qualityOf(header, type);
    if (quality > bestQuality) [best, bestQuality] = [type, quality];
  }
  if (best === undefined) throw new Problem("not-acceptable", `this path has ${offered.join(" or ")} to give`);
  return best;
}

/** Of a media type after RFC 9110: the most specific range that fits it decides. */
function qualityOf(header: string, type: string): number {
  let quality = 0;
  let specificity = 0;
  for (const range of header.toLowerCase().split(",")) {
    const [name = "", ...parameters] = range.split(";").map((part) => part.trim());
    const fits = name === type ? 3 : name === `${type.split("/")[0]}/*` ? 2 : name === "*/*" ? 1 : 0;
    if (fits <= specificity) continue;
    specificity = fits;
    const given = parameters.find((part) => part.startsWith("q="))?.slice(2);
    const number = given === undefined ? 1 : Number(given);
    quality = Number.isNaN(number) ? 1 : number;
  }
  return quality;
}
